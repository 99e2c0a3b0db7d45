/* The kernel in lambda that decides whether the lower level contracts. */
#include <twofold/impl/blpimpl.h>

PetscErrorCode BLPGetKernel(BLP blp, PetscInt *first, PetscInt *out, PetscInt *in, PetscInt *width,
                            PetscInt *grid)
{
  PetscFunctionBegin;
  PetscCheck(blp->setup, PetscObjectComm((PetscObject)blp), PETSC_ERR_ARG_WRONGSTATE, "BLPSetUp() first");
  *first = blp->kernel.first;
  *out = blp->tie.T ? 0 : blp->kernel.out;
  *in = blp->kernel.in;
  *width = blp->kernel.width;
  *grid = blp->kernel.grid;
  PetscFunctionReturn(PETSC_SUCCESS);
}
