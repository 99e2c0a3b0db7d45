/* Classifiers of fixed points as models: lambda is all of it. The states of new samples are their own fixed
 * point. */
#include "equilibrium.h"

PetscErrorCode BLPSaveModel_Equilibrium(BLP blp, TwofoldGroup group)
{
  const Equilibrium *eq = (Equilibrium *)blp->data;

  PetscFunctionBegin;
  PetscCall(TwofoldGroupPutInt(group, "width", eq->width));
  PetscCall(TwofoldGroupPutInt(group, "steps", eq->steps));
  PetscCall(TwofoldGroupPutInt(group, "samples", blp->nw / eq->h));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EquilibriumGetSize_Private(BLP blp, TwofoldGroup group, const char name[], PetscInt *size)
{
  PetscInt64 value;

  PetscFunctionBegin;
  PetscCall(TwofoldGroupGetInt(group, name, &value));
  PetscCheck(value > 0 && value <= PETSC_MAX_INT, PetscObjectComm((PetscObject)blp),
             PETSC_ERR_FILE_UNEXPECTED,
             "%s: a model of problem %s with %s %" PetscInt64_FMT ": the file is damaged",
             TwofoldGroupPath(group), ((PetscObject)blp)->type_name, name, value);
  *size = (PetscInt)value;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Spaces without samples: as set-up lays them out. */
PetscErrorCode BLPLoadModel_Equilibrium(BLP blp, TwofoldGroup group)
{
  Equilibrium *eq = (Equilibrium *)blp->data;
  PetscInt n, features, nlocal = PETSC_DECIDE;

  PetscFunctionBegin;
  PetscCall(EquilibriumReset_Private(blp));
  PetscCall(EquilibriumGetSize_Private(blp, group, "width", &eq->width));
  PetscCall(EquilibriumGetSize_Private(blp, group, "steps", &eq->steps));
  PetscCall(EquilibriumGetSize_Private(blp, group, "samples", &n));
  PetscCall(DataSetGetSizes(blp->like, NULL, &features, &eq->c));
  PetscCall((*eq->layer->setup)(blp, eq, features));
  PetscCall(PetscSplitOwnership(PetscObjectComm((PetscObject)blp), &nlocal, &n));
  PetscCall(EquilibriumLayOut_Private(blp, nlocal, n));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ other samples */

PetscErrorCode EquilibriumMeasure_Private(Equilibrium *eq, EquilibriumSamples *s, const PetscReal w[],
                                          PetscReal Z[], BLPMetrics *metrics)
{
  CrossEntropy out = {.count = PETSC_TRUE};
  PetscReal *own = NULL;

  PetscFunctionBegin;
  if (!w) {
    PetscCall(PetscMalloc1((size_t)s->layout->n * (size_t)eq->h + 1, &own));
    PetscCall(EquilibriumSolve_Private(eq, s, own));
  }
  PetscCall(EquilibriumOutputs_Private(eq, s, w ? w : own, CrossEntropySoftmaxRows, &out, Z));
  PetscCall(PetscFree(own));
  PetscReal sums[] = {out.loss, out.right, out.nknown};
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, sums, 3, MPIU_REAL, MPIU_SUM, s->layout->comm));
  metrics->n = (PetscInt)sums[2];
  metrics->loss = metrics->n ? sums[0] / sums[2] : (PetscReal)NAN;
  metrics->accuracy = metrics->n ? sums[1] / sums[2] : (PetscReal)NAN;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPPredict_Equilibrium(BLP blp, DataSet ds, Vec lambda, Vec w, Vec *Z, BLPMetrics *metrics)
{
  Equilibrium *eq = (Equilibrium *)blp->data;
  EquilibriumSamples s = {0};
  PetscScalar *z;

  PetscFunctionBegin;
  (void)w; /* the training samples' */
  PetscCall(EquilibriumEnter_Private(eq, lambda));
  PetscCall(EquilibriumSamplesCreate_Private(eq, ds, &s));
  PetscCall(VecCreate(PetscObjectComm((PetscObject)blp), Z));
  PetscCall(VecSetSizes(*Z, s.layout->n * eq->c, s.layout->N * eq->c));
  PetscCall(VecSetBlockSize(*Z, eq->c));
  PetscCall(VecSetFromOptions(*Z));
  PetscCall(VecGetArrayWrite(*Z, &z));
  PetscCall(EquilibriumMeasure_Private(eq, &s, NULL, z, metrics));
  PetscCall(VecRestoreArrayWrite(*Z, &z));
  PetscCall(EquilibriumSamplesDestroy_Private(&s));
  PetscFunctionReturn(PETSC_SUCCESS);
}
