/* Processors with AVX-512. */
#include "block.h"

#if defined(BLOCK_X86)

static PetscBool Runs(void)
{
  return (PetscBool)(__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                     __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"));
}

#pragma GCC target("avx512f,avx512vl,avx2,fma,bmi2,prefer-vector-width=512")
#define BLOCK_KERNELS BlockKernels_avx512
#define BLOCK_NAME    "avx512"
#define BLOCK_WIDTH   8
#include "block_kernels.h"

#endif
