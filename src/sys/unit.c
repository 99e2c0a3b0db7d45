/* Unit vectors. */
#include <twofold/impl/sysimpl.h>

PetscErrorCode TwofoldVecSetUnit(Vec e, PetscInt j)
{
  PetscInt first, end;
  PetscScalar *a;

  PetscFunctionBegin;
  PetscCall(VecGetOwnershipRange(e, &first, &end));
  PetscCall(VecZeroEntries(e));
  PetscCall(VecGetArray(e, &a));
  if (j >= first && j < end) a[j - first] = 1;
  PetscCall(VecRestoreArray(e, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}
