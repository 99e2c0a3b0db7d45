/* Any processor. */
#include "block.h"

static PetscBool Runs(void)
{
  return PETSC_TRUE;
}

#define BLOCK_KERNELS BlockKernels_plain
#define BLOCK_NAME    "plain"
#define BLOCK_WIDTH   2
#include "block_kernels.h"
