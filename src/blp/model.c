/* A problem that was solved becomes a model: it is kept without its samples, read back, and applied to
 * others. */
#include <petscviewerhdf5.h>
#include <twofold/impl/blpimpl.h>
#include <twofold/impl/datasetimpl.h>

static const char group_name[] = "model";
enum { layout = 1 }; /* of the group; higher where older programs could not read it */

/* ------------------------------------------------------------------ save */

static PetscErrorCode SaveScaling(BLP blp, PetscViewer viewer)
{
  PetscFunctionBegin;
  PetscCall(PetscViewerHDF5PushGroup(viewer, "/model"));
  if (blp->shift) PetscCall(PetscObjectSetName((PetscObject)blp->shift, "shift"));
  if (blp->scale) PetscCall(PetscObjectSetName((PetscObject)blp->scale, "scale"));
  if (blp->shift) PetscCall(VecView(blp->shift, viewer));
  if (blp->scale) PetscCall(VecView(blp->scale, viewer));
  PetscCall(PetscViewerHDF5PopGroup(viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Where lambda predicts, the file's is that of the tie; a map of the caller's is the caller's. */
static PetscErrorCode SaveTie(BLP blp, TwofoldGroup group)
{
  PetscFunctionBegin;
  if (blp->lambda_predicts && blp->tie.T && !blp->tie.given)
    PetscCall(TwofoldGroupPutStrings(group, "tie", 1, &BLPTies[blp->tie.kind]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPSaveModel(BLP blp, PetscViewer viewer)
{
  TwofoldGroup group;

  PetscFunctionBegin;
  PetscCheck(blp->setup, PetscObjectComm((PetscObject)blp), PETSC_ERR_ARG_WRONGSTATE, "BLPSetUp() first");
  if (!blp->ops->savemodel || !blp->like) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(TwofoldGroupCreate(viewer, group_name, &group));
  PetscCall(TwofoldGroupPutString(group, "twofold", TWOFOLD_VERSION));
  PetscCall(TwofoldGroupPutInt(group, "layout", layout));
  PetscCall(TwofoldGroupPutString(group, "problem", ((PetscObject)blp)->type_name));
  PetscCall(DataSetSaveLike_Private(blp->like, group));
  PetscUseTypeMethod(blp, savemodel, group);
  PetscCall(SaveTie(blp, group));
  PetscCall(TwofoldGroupClose(&group));
  PetscCall(SaveScaling(blp, viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ load */

static PetscErrorCode OpenModel(MPI_Comm comm, const char path[], TwofoldGroup *group)
{
  PetscInt64 written;

  PetscFunctionBegin;
  PetscCall(TwofoldGroupOpen(comm, path, group_name, group));
  PetscCheck(*group, comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s is not a model: it has no group '%s'; solution.h5 of a run directory is one, where the "
             "problem can predict and was not solved over folds",
             path, group_name);
  PetscCall(TwofoldGroupGetInt(*group, "layout", &written));
  PetscCheck(written == layout, comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s is a model of layout %" PetscInt64_FMT
             ", this program reads layout %d: use the version of Twofold "
             "that wrote it",
             path, written, layout);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The type that the file names, unless the problem has another one already. */
static PetscErrorCode TakeType(BLP blp, TwofoldGroup group)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);
  const char *const has = ((PetscObject)blp)->type_name, **known;
  char type[64], list[512] = "";
  PetscBool found = PETSC_FALSE, same = PETSC_TRUE;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(TwofoldGroupGetString(group, "problem", type, sizeof(type)));
  if (has) PetscCall(PetscStrcmp(has, type, &same));
  PetscCheck(same, comm, PETSC_ERR_FILE_UNEXPECTED, "%s is a model of problem %s, not of %s",
             TwofoldGroupPath(group), type, has);
  PetscCall(BLPGetRegistered(&n, &known));
  for (PetscInt i = 0; i < n; i++) {
    PetscCall(PetscStrcmp(known[i], type, &same));
    found = (PetscBool)(found || same);
    PetscCall(PetscStrlcat(list, i ? ", " : "", sizeof(list)));
    PetscCall(PetscStrlcat(list, known[i], sizeof(list)));
  }
  PetscCall(PetscFree(known));
  PetscCheck(found, comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s is a model of problem '%s', which is not known here: known are %s", TwofoldGroupPath(group),
             type, list);
  PetscCall(BLPSetType(blp, type));
  PetscCheck(blp->ops->loadmodel && blp->ops->predict, comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s is a model of problem %s, which cannot predict", TwofoldGroupPath(group), type);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LoadScaling(BLP blp, TwofoldGroup group, const char name[], const char path[], Vec *x)
{
  PetscInt p;
  PetscBool has;

  PetscFunctionBegin;
  PetscCall(VecDestroy(x));
  PetscCall(TwofoldGroupHas(group, name, &has, NULL));
  if (!has) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(DataSetGetSizes(blp->like, NULL, &p, NULL));
  PetscCall(VecCreateMPI(PetscObjectComm((PetscObject)blp), PETSC_DECIDE, p, x));
  PetscCall(PetscObjectSetName((PetscObject)*x, path));
  PetscCall(TwofoldVecLoad(*x, TwofoldGroupPath(group)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LoadTie(BLP blp, TwofoldGroup group)
{
  PetscEnum kind = (PetscEnum)BLP_TIE_OWN;
  PetscBool has, found = PETSC_TRUE;
  char **name;

  PetscFunctionBegin;
  if (!blp->lambda_predicts) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(TwofoldGroupHas(group, "tie", &has, NULL));
  if (has) {
    PetscCall(TwofoldGroupGetStrings(group, "tie", 1, &name));
    PetscCall(PetscEnumFind(BLPTies, name[0], &kind, &found));
    PetscCall(PetscFree(name[0]));
    PetscCall(PetscFree(name));
  }
  PetscCheck(found, PetscObjectComm((PetscObject)blp), PETSC_ERR_FILE_UNEXPECTED,
             "%s: model/tie is none that is known here: the file is damaged", TwofoldGroupPath(group));
  blp->tie.kind = (BLPTie)kind;
  PetscCall(BLPTieSetUp_Private(blp));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPLoadModel(BLP blp, const char path[])
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);
  TwofoldGroup group;

  PetscFunctionBegin;
  PetscCall(OpenModel(comm, path, &group));
  PetscCall(TakeType(blp, group));
  PetscCall(DataSetDestroy(&blp->like));
  PetscCall(DataSetCreate(comm, &blp->like));
  PetscCall(DataSetLoadLike_Private(blp->like, group));
  PetscUseTypeMethod(blp, loadmodel, group);
  PetscCall(LoadTie(blp, group));
  PetscCall(LoadScaling(blp, group, "shift", "model/shift", &blp->shift));
  PetscCall(LoadScaling(blp, group, "scale", "model/scale", &blp->scale));
  PetscCheck(blp->scale || !blp->shift, comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s has model/shift without model/scale: the file is damaged", path);
  PetscCall(TwofoldGroupClose(&group));
  for (int s = 0; s < 3; s++) blp->has[s] = PETSC_FALSE;
  blp->setup = PETSC_TRUE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ other samples */

static PetscErrorCode CheckModel(BLP blp)
{
  PetscFunctionBegin;
  PetscCheck(blp->setup && blp->like, PetscObjectComm((PetscObject)blp), PETSC_ERR_ARG_WRONGSTATE,
             "BLPSetUp() or BLPLoadModel() first");
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPAdoptDataSet(BLP blp, DataSet ds, DataSetMisfit *misfit)
{
  PetscFunctionBegin;
  PetscCall(CheckModel(blp));
  PetscCall(DataSetConform(ds, blp->like, misfit));
  PetscCall(DataSetApplyScaling(ds, blp->shift, blp->scale));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPReadDataSet(BLP blp, const char path[], DataSet *ds, DataSetMisfit *misfit)
{
  PetscFunctionBegin;
  PetscCall(CheckModel(blp));
  PetscCall(DataSetCreate(PetscObjectComm((PetscObject)blp), ds));
  PetscCall(DataSetSetOptionsPrefix(*ds, ((PetscObject)blp)->prefix));
  PetscCall(DataSetSetFromOptions(*ds));
  PetscCall(DataSetReadLike(*ds, blp->like));
  PetscCall(DataSetLoad(*ds, path));
  PetscCall(BLPAdoptDataSet(blp, *ds, misfit));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPPredictsByLambda(BLP blp, PetscBool *by_lambda)
{
  PetscFunctionBegin;
  *by_lambda = blp->lambda_predicts;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPPredict(BLP blp, DataSet ds, Vec lambda, Vec w, Vec *Z, BLPMetrics *metrics)
{
  BLPMetrics unasked;
  Vec own = NULL;

  PetscFunctionBegin;
  PetscCall(CheckModel(blp));
  PetscCheck(lambda || !blp->lambda_predicts, PetscObjectComm((PetscObject)blp), PETSC_ERR_ARG_NULL,
             "the %s problem predicts by lambda and w: no lambda is given", ((PetscObject)blp)->type_name);
  if (lambda) PetscCall(BLPTieLambda_Private(blp, lambda, &own));
  PetscUseTypeMethod(blp, predict, ds, own, w, Z, metrics ? metrics : &unasked);
  PetscFunctionReturn(PETSC_SUCCESS);
}
