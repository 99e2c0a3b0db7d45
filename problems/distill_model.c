/* distill as a model: the weights that the images gave, which predict alone. */
#include "distill.h"

/* What lambda's size follows from; the features and classes the group has already. */
PetscErrorCode BLPSaveModel_Distill(BLP blp, TwofoldGroup group)
{
  PetscFunctionBegin;
  PetscCall(TwofoldGroupPutInt(group, "images", ((const Distill *)blp->data)->each));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Spaces without samples: as set-up lays them out. */
PetscErrorCode BLPLoadModel_Distill(BLP blp, TwofoldGroup group)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);
  Distill *ds = (Distill *)blp->data;
  PetscInt rows = PETSC_DECIDE;
  PetscInt64 each;

  PetscFunctionBegin;
  PetscCall(DistillReset_Private(blp));
  PetscCall(TwofoldGroupGetInt(group, "images", &each));
  PetscCheck(each > 0 && each <= PETSC_MAX_INT, comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s: a model of problem distill with %" PetscInt64_FMT " images a class: the file is damaged",
             TwofoldGroupPath(group), each);
  ds->each = (PetscInt)each;
  PetscCall(DataSetGetSizes(blp->like, NULL, &ds->p, &ds->c));
  PetscCall(PetscSplitOwnership(comm, &rows, &ds->p));
  PetscCall(DistillLayOut_Private(blp, rows));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPPredict_Distill(BLP blp, DataSet samples, Vec lambda, Vec w, Vec *Z, BLPMetrics *metrics)
{
  const PetscInt c = ((const Distill *)blp->data)->c;
  PetscInt n;

  PetscFunctionBegin;
  (void)lambda;
  PetscCall(VecGetLocalSize(w, &n));
  PetscCall(CrossEntropyPredict(blp, samples, n / c, c, PETSC_FALSE, w, Z, metrics));
  PetscFunctionReturn(PETSC_SUCCESS);
}
