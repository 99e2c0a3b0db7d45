/* Eigenvalues of small dense matrices: LAPACK behind one call. */
#include "eigen.h"
#include <petscblaslapack.h>

PetscErrorCode SymmetricEigen(PetscInt n, PetscReal A[], PetscReal e[])
{
  PetscBLASInt d, lwork, info;
  PetscReal *work;

  PetscFunctionBegin;
  PetscCall(PetscBLASIntCast(n, &d));
  lwork = 3 * d;
  PetscCall(PetscMalloc1(lwork, &work));
  LAPACKsyev_("V", "U", &d, A, &d, e, work, &lwork, &info);
  for (PetscInt k = 0; k < n && info; k++) e[k] = NAN;
  PetscCall(PetscFree(work));
  PetscFunctionReturn(PETSC_SUCCESS);
}
