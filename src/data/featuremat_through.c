/* X^T f(X W), where f acts on each sample by itself. Dispatch. */
#include <twofold/impl/featurematimpl.h>

PetscErrorCode FeatureMatMapRows_Private(FeatureMat X, FeatureMatRows f, void *ctx, Vec Z)
{
  PetscScalar *z;

  PetscFunctionBegin;
  PetscCall(VecGetArray(Z, &z));
  PetscCall((*f)(ctx, 0, X->samples->n, z));
  PetscCall(VecRestoreArray(Z, &z));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatMultThrough_Private(FeatureMat X, Vec W, FeatureMatRows f, void *ctx, Vec Z, Vec G)
{
  PetscFunctionBegin;
  if (X->one_pass) {
    PetscCall(PetscLogEventBegin(TWOFOLD_MatSweep, X, W, Z, G));
    PetscUseTypeMethod(X, multthrough, W, f, ctx, Z, G);
    PetscCall(PetscLogEventEnd(TWOFOLD_MatSweep, X, W, Z, G));
  } else {
    PetscCall(FeatureMatMult(X, W, Z));
    PetscCall(FeatureMatMapRows_Private(X, f, ctx, Z));
    PetscCall(FeatureMatMultTranspose(X, Z, G));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}
