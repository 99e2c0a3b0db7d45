/* free: all of the space. */
#include <twofold/impl/lsetimpl.h>

static PetscErrorCode LSETProject_Free(LSET lset, Vec x)
{
  PetscFunctionBegin;
  (void)lset;
  (void)x;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LSETGetBounds_Free(LSET lset, Vec lower, Vec upper, PetscBool *has)
{
  PetscFunctionBegin;
  (void)lset;
  *has = PETSC_TRUE;
  if (lower) {
    PetscCall(VecSet(lower, PETSC_NINFINITY));
    PetscCall(VecSet(upper, PETSC_INFINITY));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETCreate_Free(LSET lset)
{
  PetscFunctionBegin;
  lset->data = NULL;
  lset->uses_radius = PETSC_FALSE;
  lset->ops->project = LSETProject_Free;
  lset->ops->getbounds = LSETGetBounds_Free;
  PetscFunctionReturn(PETSC_SUCCESS);
}
