/* Data sets that are used together agree on features and classes: the training set's. */
#include <twofold/impl/datasetimpl.h>

/* Relabels ds by the classes of `train`; a label that training never saw is an error. */
static PetscErrorCode AdoptClasses(DataSet ds, DataSet train)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)ds);
  PetscInt *map;

  PetscFunctionBegin;
  PetscCheck(!ds->classname || train->classname, comm, PETSC_ERR_FILE_UNEXPECTED,
             "the labels of %s are names, those of the training set %s are numbers",
             ds->path ? ds->path : "a data set", train->path ? train->path : "");
  PetscCall(PetscMalloc1(ds->c, &map));
  for (PetscInt k = 0; k < ds->c; k++) {
    char label[64];
    map[k] = DataSetFindClass_Private(ds, k, train);
    if (ds->classname)
      PetscCall(PetscSNPrintf(label, sizeof(label), "'%.50s'", ds->classname[k]));
    else
      PetscCall(PetscSNPrintf(label, sizeof(label), "%g", (double)ds->classvalue[k]));
    PetscCheck(map[k] >= 0, comm, PETSC_ERR_FILE_UNEXPECTED,
               "label %s of %s is not among the %" PetscInt_FMT " classes of the training set %s", label,
               ds->path ? ds->path : "a data set", train->c, train->path ? train->path : "");
  }
  for (PetscInt i = 0; i < ds->rows->n; i++) ds->label[i] = map[ds->label[i]];
  PetscCall(PetscFree(map));
  PetscCall(
      DataSetSetClasses_Private(ds, train->c, train->classvalue, (const char *const *)train->classname));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetAgree(PetscInt nsets, DataSet sets[])
{
  const DataSet train = sets[0];
  PetscInt p = train->p;

  PetscFunctionBegin;
  for (PetscInt s = 1; s < nsets; s++)
    if (sets[s]) PetscCall(DataSetSetTargets(sets[s], train->targets));
  PetscCheck(train->targets || train->c >= 2, PetscObjectComm((PetscObject)train), PETSC_ERR_FILE_UNEXPECTED,
             "the training set %s has %" PetscInt_FMT " class: at least two are needed",
             train->path ? train->path : "", train->c);
  for (PetscInt s = 1; s < nsets; s++)
    if (sets[s]) p = PetscMax(p, sets[s]->p);
  PetscCheck(p > 0, PetscObjectComm((PetscObject)train), PETSC_ERR_FILE_UNEXPECTED,
             "%s has labels but no feature", train->path ? train->path : "the training set");
  for (PetscInt s = 0; s < nsets; s++) {
    const DataSet ds = sets[s];
    if (!ds) continue;
    PetscCheck(ds->p == p || !ds->fixed_width, PetscObjectComm((PetscObject)ds), PETSC_ERR_FILE_UNEXPECTED,
               "%s has %" PetscInt_FMT " features, another set of this run has %" PetscInt_FMT
               ": training, validation and test data need the same features",
               ds->path ? ds->path : "a data set", ds->p, p);
    ds->p = p;
    if (ds != train && !train->targets) PetscCall(AdoptClasses(ds, train)); /* a set may be there twice */
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}
