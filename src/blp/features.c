/* The feature matrix of a problem's samples. */
#include <twofold/impl/blpimpl.h>

PetscErrorCode BLPCreateFeatureMat_Private(BLP blp, DataSet ds, PetscInt rows, PetscInt c, PetscBool bias,
                                           FeatureMat *X)
{
  PetscFunctionBegin;
  PetscCall(FeatureMatCreate(PetscObjectComm((PetscObject)blp), X));
  PetscCall(FeatureMatSetOptionsPrefix(*X, ((PetscObject)blp)->prefix));
  PetscCall(FeatureMatSetFromOptions(*X));
  PetscCall(FeatureMatSetLocalFeatures(*X, rows));
  PetscCall(FeatureMatSetEven(*X, blp->is_fold)); /* whose samples are others than the next fold's */
  PetscCall(FeatureMatSetData(*X, ds, c, bias));
  PetscFunctionReturn(PETSC_SUCCESS);
}
