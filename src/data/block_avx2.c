/* Processors with AVX2 and FMA. */
#include "block.h"

#if defined(BLOCK_X86)

static PetscBool Runs(void)
{
  return (PetscBool)(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                     __builtin_cpu_supports("bmi2"));
}

#pragma GCC target("avx2,fma,bmi2")
#define BLOCK_KERNELS BlockKernels_avx2
#define BLOCK_NAME    "avx2"
#define BLOCK_WIDTH   4
#include "block_kernels.h"

#endif
