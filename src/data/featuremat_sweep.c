/* Sweeps of a feature matrix: a step of a method in one pass over the features. Dispatch. */
#include <twofold/impl/featurematimpl.h>

PetscBool FeatureMatCanSweep_Private(FeatureMat X)
{
  return (PetscBool)(X && X->ops->sweep && X->ops->sweepcg);
}

/* Sums over this rank's features become those over all. */
static PetscErrorCode AddUp(FeatureMat X, PetscMPIInt n, PetscReal sums[])
{
  PetscFunctionBegin;
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, sums, n, MPIU_REAL, MPIU_SUM, PetscObjectComm((PetscObject)X)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatSweep_Private(FeatureMat X, FeatureMatDiagonal D, const FeatureMatUpdate *update,
                                       Vec R, Vec a, Vec b, Vec y, PetscBool known,
                                       const FeatureMatBeside *beside, PetscReal sums[2])
{
  PetscReal local[2];

  PetscFunctionBegin;
  PetscCall(PetscLogEventBegin(TWOFOLD_MatSweep, X, R, a, y));
  PetscUseTypeMethod(X, sweep, D, update, R, a, b, y, known, beside, local);
  PetscCall(PetscLogEventEnd(TWOFOLD_MatSweep, X, R, a, y));
  if (!sums) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(AddUp(X, 2, local));
  PetscCall(PetscArraycpy(sums, local, 2));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatSweepCG_Private(FeatureMat X, FeatureMatDiagonal D, PetscReal s, PetscReal alpha,
                                         PetscReal beta, Vec R, Vec x, Vec res, Vec p, PetscReal sums[3])
{
  PetscFunctionBegin;
  PetscCall(PetscLogEventBegin(TWOFOLD_MatSweep, X, R, x, p));
  PetscUseTypeMethod(X, sweepcg, D, s, alpha, beta, R, x, res, p, sums);
  PetscCall(PetscLogEventEnd(TWOFOLD_MatSweep, X, R, x, p));
  PetscCall(AddUp(X, 3, sums));
  PetscFunctionReturn(PETSC_SUCCESS);
}
