/*
  Where the images of distill start: with `sample` image i is sample i / c of its class, i mod c, in the order
  of the samples; with `mean` it is the mean of every K-th one from there, of K images a class, so that images
  of a class are not the same. Both are X^T S, S having an entry for each sample that an image has a part of.
*/
#include "distill.h"

/* seen[k]: samples of class k on the ranks before; of[k]: on all ranks. */
static PetscErrorCode Count(const Distill *ds, FeatureMat X, PetscInt seen[], PetscInt of[])
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)X);
  const PetscInt *label;
  PetscMPIInt c;
  PetscInt n, *own;

  PetscFunctionBegin;
  PetscCall(PetscMPIIntCast(ds->c, &c));
  PetscCall(FeatureMatGetLabels(X, &n, &label));
  PetscCall(PetscCalloc1(ds->c, &own));
  for (PetscInt i = 0; i < n; i++) own[label[i]]++;
  PetscCallMPI(MPI_Scan(own, seen, c, MPIU_INT, MPI_SUM, comm));
  PetscCall(MPIU_Allreduce(own, of, c, MPIU_INT, MPI_SUM, comm));
  for (PetscInt k = 0; k < ds->c; k++) seen[k] -= own[k];
  PetscCall(PetscFree(own));
  for (PetscInt k = 0; k < ds->c; k++)
    PetscCheck(of[k] >= ds->each, comm, PETSC_ERR_ARG_OUTOFRANGE,
               "-blp_distill_start: class %" PetscInt_FMT " has %" PetscInt_FMT
               " training samples for %" PetscInt_FMT
               " images (-blp_distill_images): take fewer, or -blp_distill_start zero",
               k, of[k], ds->each);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* S, n x m. */
static PetscErrorCode Select(const Distill *ds, FeatureMat X, Vec S)
{
  const PetscInt *label;
  PetscInt n, *seen, *of;
  PetscScalar *a;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(ds->c, &seen, ds->c, &of));
  PetscCall(Count(ds, X, seen, of));
  PetscCall(FeatureMatGetLabels(X, &n, &label));
  PetscCall(VecZeroEntries(S));
  PetscCall(VecGetArray(S, &a));
  for (PetscInt i = 0; i < n; i++) {
    const PetscInt k = label[i], turn = seen[k]++, place = turn % ds->each;
    const PetscInt among = (of[k] - place + ds->each - 1) / ds->each;
    if (ds->start == DISTILL_MEAN) a[i * ds->m + place * ds->c + k] = 1 / (PetscReal)among;
    if (ds->start == DISTILL_SAMPLE && turn < ds->each) a[i * ds->m + place * ds->c + k] = 1;
  }
  PetscCall(VecRestoreArray(S, &a));
  PetscCall(PetscFree2(seen, of));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DistillMakeStart_Private(BLP blp)
{
  const Distill *ds = (const Distill *)blp->data;
  PetscInt n;
  FeatureMat X;
  Vec S;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(ds->images, &n));
  PetscCall(BLPCreateFeatureMat_Private(blp, blp->set[BLP_TRAIN], n / ds->m, ds->m, PETSC_FALSE, &X));
  PetscCall(FeatureMatCreateVecs(X, NULL, &S));
  PetscCall(Select(ds, X, S));
  PetscCall(FeatureMatMultTranspose(X, S, ds->images));
  PetscCall(VecDestroy(&S));
  PetscCall(FeatureMatDestroy(&X));
  PetscFunctionReturn(PETSC_SUCCESS);
}
