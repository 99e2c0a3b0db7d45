/* hyperrep as a model: linear in the features, with the weights H w. */
#include "hyperrep.h"

/* The size of the representation; the features, which the group has already, and H are all else there is. */
PetscErrorCode BLPSaveModel_HyperRep(BLP blp, TwofoldGroup group)
{
  PetscFunctionBegin;
  PetscCall(TwofoldGroupPutInt(group, "dim", ((HyperRep *)blp->data)->d));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Spaces without samples: as set-up lays them out. */
PetscErrorCode BLPLoadModel_HyperRep(BLP blp, TwofoldGroup group)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);
  HyperRep *hr = (HyperRep *)blp->data;
  PetscInt n = PETSC_DECIDE;
  PetscInt64 d;

  PetscFunctionBegin;
  PetscCall(HyperRepReset_Private(blp));
  PetscCall(TwofoldGroupGetInt(group, "dim", &d));
  PetscCheck(d > 0 && d <= PETSC_MAX_INT, comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s: a model of problem hyperrep of dimension %" PetscInt64_FMT ": the file is damaged",
             TwofoldGroupPath(group), d);
  hr->d = (PetscInt)d;
  PetscCall(DataSetGetSizes(blp->like, NULL, &hr->p, NULL));
  PetscCall(PetscIntMultError(hr->p, hr->d, &blp->nlambda));
  PetscCall(PetscSplitOwnership(comm, &n, &hr->p));
  PetscCall(VecCreate(comm, &hr->H));
  PetscCall(VecSetSizes(hr->H, n * hr->d, blp->nlambda));
  PetscCall(VecSetBlockSize(hr->H, hr->d));
  PetscCall(VecSetFromOptions(hr->H));
  PetscCall(HyperRepCreateSmall_Private(blp));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* all = all entries of v, of w's space, on every rank. */
static PetscErrorCode Gather(const HyperRep *hr, Vec v, PetscReal all[])
{
  const PetscScalar *a;
  PetscInt first, n;

  PetscFunctionBegin;
  PetscCall(VecGetOwnershipRange(v, &first, NULL));
  PetscCall(VecGetLocalSize(v, &n));
  PetscCall(PetscArrayzero(all, hr->d));
  PetscCall(VecGetArrayRead(v, &a));
  PetscCall(PetscArraycpy(all + first, a, n));
  PetscCall(VecRestoreArrayRead(v, &a));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, all, (PetscMPIInt)hr->d, MPIU_REAL, MPI_SUM,
                           PetscObjectComm((PetscObject)v)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* u = H w, one entry a feature. */
static PetscErrorCode Combine(const HyperRep *hr, Vec H, Vec w, Vec u)
{
  const PetscScalar *h;
  PetscScalar *a;
  PetscReal *all;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(hr->d, &all));
  PetscCall(Gather(hr, w, all));
  PetscCall(VecGetLocalSize(u, &n));
  PetscCall(VecGetArrayRead(H, &h));
  PetscCall(VecGetArrayWrite(u, &a));
  for (PetscInt j = 0; j < n; j++) a[j] = HyperRepDot_Private(hr->d, h + j * hr->d, all);
  PetscCall(VecRestoreArrayWrite(u, &a));
  PetscCall(VecRestoreArrayRead(H, &h));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The mean of 1/2 (z - y)^2 */
static PetscErrorCode Measure(FeatureMat X, Vec z, BLPMetrics *metrics)
{
  const PetscReal *y;
  const PetscScalar *a;
  PetscReal half = 0;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(FeatureMatGetTargets(X, &n, &y));
  PetscCall(VecGetArrayRead(z, &a));
  for (PetscInt i = 0; i < n; i++) half += (a[i] - y[i]) * (a[i] - y[i]) / 2;
  PetscCall(VecRestoreArrayRead(z, &a));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, &half, 1, MPIU_REAL, MPI_SUM, PetscObjectComm((PetscObject)z)));
  PetscCall(FeatureMatGetSizes(X, &metrics->n, NULL, NULL));
  metrics->loss = metrics->n ? half / (PetscReal)metrics->n : (PetscReal)NAN;
  metrics->accuracy = (PetscReal)NAN;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* X (H w): the model is linear in the features. */
PetscErrorCode BLPPredict_HyperRep(BLP blp, DataSet ds, Vec H, Vec w, Vec *Z, BLPMetrics *metrics)
{
  const HyperRep *hr = (HyperRep *)blp->data;
  FeatureMat X;
  PetscInt n;
  Vec u;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(H, &n));
  PetscCall(VecCreateMPI(PetscObjectComm((PetscObject)blp), n / hr->d, hr->p, &u));
  PetscCall(Combine(hr, H, w, u));
  PetscCall(LinearModelApply(blp, ds, u, &X, Z));
  PetscCall(Measure(X, *Z, metrics));
  PetscCall(FeatureMatDestroy(&X));
  PetscCall(VecDestroy(&u));
  PetscFunctionReturn(PETSC_SUCCESS);
}
