/* nonneg: x >= 0. */
#include <twofold/impl/lsetimpl.h>

static PetscErrorCode LSETProject_NonNeg(LSET lset, Vec x)
{
  PetscScalar *a;
  PetscInt n;

  PetscFunctionBegin;
  (void)lset;
  PetscCall(VecGetLocalSize(x, &n));
  PetscCall(VecGetArray(x, &a));
  for (PetscInt i = 0; i < n; i++)
    if (a[i] < 0) a[i] = 0; /* NaN stays */
  PetscCall(VecRestoreArray(x, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LSETGetBounds_NonNeg(LSET lset, Vec lower, Vec upper, PetscBool *has)
{
  PetscFunctionBegin;
  (void)lset;
  *has = PETSC_TRUE;
  if (lower) {
    PetscCall(VecSet(lower, 0));
    PetscCall(VecSet(upper, PETSC_INFINITY));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETCreate_NonNeg(LSET lset)
{
  PetscFunctionBegin;
  lset->data = NULL;
  lset->uses_radius = PETSC_FALSE;
  lset->ops->project = LSETProject_NonNeg;
  lset->ops->getbounds = LSETGetBounds_NonNeg;
  PetscFunctionReturn(PETSC_SUCCESS);
}
