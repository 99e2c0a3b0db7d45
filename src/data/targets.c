/* Labels that are real numbers, the targets of a regression, instead of classes. */
#include <twofold/impl/datasetimpl.h>

/* Takes the labels of the local rows as they are. */
PetscErrorCode DataSetKeepTargets_Private(DataSet ds, PetscInt nlocal, const PetscReal y[])
{
  PetscFunctionBegin;
  PetscCall(PetscFree(ds->target));
  PetscCall(PetscMalloc1(nlocal + 1, &ds->target));
  PetscCall(PetscArraycpy(ds->target, y, nlocal));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetRefuseNames_Private(DataSet ds, PetscBool targets)
{
  PetscFunctionBegin;
  PetscCheck(!targets, PetscObjectComm((PetscObject)ds), PETSC_ERR_FILE_UNEXPECTED,
             "the labels of %s are names, and what is to be predicted here are numbers: give data with "
             "numbers as labels (of csv files: -data_label COLUMN), or a problem with classes",
             ds->path ? ds->path : "the data set");
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ClassesToTargets(DataSet ds)
{
  PetscReal *y;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(ds->rows->n + 1, &y));
  for (PetscInt i = 0; i < ds->rows->n; i++) y[i] = ds->classvalue[ds->label[i]];
  ds->target = y;
  PetscCall(PetscFree(ds->label));
  PetscCall(PetscFree(ds->classvalue));
  ds->c = 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetSetTargets(DataSet ds, PetscBool targets)
{
  PetscFunctionBegin;
  if (targets == ds->targets) PetscFunctionReturn(PETSC_SUCCESS);
  if (ds->rows && targets) {
    if (ds->classname) PetscCall(DataSetRefuseNames_Private(ds, targets));
    PetscCall(ClassesToTargets(ds));
  } else if (ds->rows) {
    PetscCall(DataSetCollectClasses_Private(ds, ds->rows->n, ds->target));
    PetscCall(PetscFree(ds->target));
  }
  ds->targets = targets;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetGetTargets(DataSet ds, const PetscReal *target[])
{
  PetscFunctionBegin;
  *target = ds->target;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetViewTargets_Private(DataSet ds, PetscViewer viewer)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)ds);
  PetscReal extreme[2] = {-(PetscReal)INFINITY, -(PetscReal)INFINITY}, sum = 0; /* of y and of -y */

  PetscFunctionBegin;
  for (PetscInt i = 0; i < ds->rows->n; i++) {
    extreme[0] = PetscMax(extreme[0], ds->target[i]);
    extreme[1] = PetscMax(extreme[1], -ds->target[i]);
    sum += ds->target[i];
  }
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, extreme, 2, MPIU_REAL, MPIU_MAX, comm));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, &sum, 1, MPIU_REAL, MPIU_SUM, comm));
  if (ds->n)
    PetscCall(PetscViewerASCIIPrintf(viewer, "  targets: from %g to %g, mean %g\n", (double)-extreme[1],
                                     (double)extreme[0], (double)(sum / (PetscReal)ds->n)));
  PetscFunctionReturn(PETSC_SUCCESS);
}
