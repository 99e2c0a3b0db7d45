/* Models x -> <x, w> with one lambda a weight: spaces, samples and products, without a formula of their own.
 */
#include "linear.h"

PetscErrorCode LinearModelReset(LinearModel *m)
{
  PetscFunctionBegin;
  for (int s = 0; s < 3; s++) {
    PetscCall(FeatureMatDestroy(&m->X[s]));
    PetscCall(VecDestroy(&m->Z[s]));
  }
  PetscCall(VecDestroy(&m->w));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPSetUp_Linear(BLP blp)
{
  LinearModel *m = (LinearModel *)blp->data;
  PetscInt rows = PETSC_DECIDE;

  PetscFunctionBegin;
  PetscCall(LinearModelReset(m));
  PetscCall(DataSetGetSizes(blp->set[BLP_TRAIN], NULL, &m->p, NULL));
  for (int s = 0; s < 3; s++) {
    if (!blp->set[s]) continue;
    PetscCall(BLPCreateFeatureMat_Private(blp, blp->set[s], rows, 1, PETSC_FALSE, &m->X[s]));
    PetscCall(DataSetDestroy(&blp->set[s])); /* before the next set is dealt out */
    PetscCall(FeatureMatCreateVecs(m->X[s], NULL, &m->Z[s]));
    PetscCall(FeatureMatGetLocalFeatures(m->X[s], &rows)); /* the training samples come first */
  }
  PetscCall(FeatureMatCreateVecs(m->X[BLP_TRAIN], &m->w, NULL));
  blp->nlambda = blp->nw = m->p;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPCreateVecs_Linear(BLP blp, Vec *lambda, Vec *w)
{
  LinearModel *m = (LinearModel *)blp->data;

  PetscFunctionBegin;
  if (lambda) PetscCall(VecDuplicate(m->w, lambda));
  if (w) PetscCall(VecDuplicate(m->w, w));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPView_Linear(BLP blp, PetscViewer viewer)
{
  LinearModel *m = (LinearModel *)blp->data;

  PetscFunctionBegin;
  PetscCall(PetscViewerASCIIPrintf(viewer, "features %" PetscInt_FMT "\n", m->p));
  for (int s = 0; s < 3; s++) {
    PetscInt n;
    if (!m->X[s]) continue;
    PetscCall(FeatureMatGetSizes(m->X[s], &n, NULL, NULL));
    PetscCall(PetscViewerASCIIPrintf(viewer, "%s: %" PetscInt_FMT " samples\n", BLPSets[s], n));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPGetMemory_Linear(BLP blp, PetscLogDouble *bytes)
{
  LinearModel *m = (LinearModel *)blp->data;
  PetscLogDouble part;
  PetscInt n;

  PetscFunctionBegin;
  for (int s = 0; s < 3; s++) {
    if (!m->X[s]) continue;
    PetscCall(FeatureMatGetMemory(m->X[s], &part));
    PetscCall(VecGetLocalSize(m->Z[s], &n));
    *bytes += part + (PetscLogDouble)n * sizeof(PetscScalar);
  }
  PetscCall(VecGetLocalSize(m->w, &n));
  *bytes += (PetscLogDouble)n * sizeof(PetscScalar);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ other samples */

/* Features and classes, which the group has already, are all there is. */
PetscErrorCode BLPSaveModel_Linear(BLP blp, TwofoldGroup group)
{
  PetscFunctionBegin;
  (void)blp, (void)group;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Spaces without samples: as BLPSetUp_Linear() lays them out. */
PetscErrorCode BLPLoadModel_Linear(BLP blp, TwofoldGroup group)
{
  LinearModel *m = (LinearModel *)blp->data;

  PetscFunctionBegin;
  (void)group;
  PetscCall(LinearModelReset(m));
  PetscCall(DataSetGetSizes(blp->like, NULL, &m->p, NULL));
  blp->nlambda = blp->nw = m->p;
  PetscCall(VecCreate(PetscObjectComm((PetscObject)blp), &m->w));
  PetscCall(VecSetSizes(m->w, PETSC_DECIDE, m->p));
  PetscCall(VecSetFromOptions(m->w));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LinearModelApply(BLP blp, DataSet ds, Vec w, FeatureMat *X, Vec *z)
{
  PetscInt rows;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(w, &rows));
  PetscCall(BLPCreateFeatureMat_Private(blp, ds, rows, 1, PETSC_FALSE, X));
  PetscCall(FeatureMatCreateVecs(*X, NULL, z));
  PetscCall(FeatureMatMult(*X, w, *z));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ entries */

PetscErrorCode LinearModelExtremePlace(Vec x, PetscBool largest, Vec g)
{
  PetscInt at, first, end;
  PetscReal value;

  PetscFunctionBegin;
  if (largest)
    PetscCall(VecMax(x, &at, &value));
  else
    PetscCall(VecMin(x, &at, &value));
  PetscCall(VecZeroEntries(g));
  PetscCall(VecGetOwnershipRange(g, &first, &end));
  if (at >= first && at < end) PetscCall(VecSetValue(g, at, 1, INSERT_VALUES));
  PetscCall(VecAssemblyBegin(g));
  PetscCall(VecAssemblyEnd(g));
  PetscFunctionReturn(PETSC_SUCCESS);
}
