/* FeatureMat: the feature matrix and its block products. Interface and dispatch. */
#include <twofold/impl/datasetimpl.h>
#include <twofold/impl/featurematimpl.h>

PetscClassId FEATUREMAT_CLASSID;
static PetscFunctionList FeatureMatList = NULL;

const char *const FeatureMatStorages[] = {
    "auto", "sparse", "dense", "FeatureMatStorage", "FEATUREMAT_STORAGE_", NULL};

/* The class and the types that come with it, once: on the first call of anything that needs them. */
static PetscErrorCode FeatureMatRegisterAll(void)
{
  PetscFunctionBegin;
  if (FeatureMatList) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(TwofoldRegisterEvents());
  PetscCall(PetscClassIdRegister("Feature Matrix", &FEATUREMAT_CLASSID));
  PetscCall(
      TwofoldListAdd(&FeatureMatList, FEATUREMATREFERENCE, (TwofoldConstructor)FeatureMatCreate_Reference));
  PetscCall(TwofoldListAdd(&FeatureMatList, FEATUREMATGRID, (TwofoldConstructor)FeatureMatCreate_Grid));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatRegister(const char type[], PetscErrorCode (*create)(FeatureMat))
{
  PetscFunctionBegin;
  PetscCall(FeatureMatRegisterAll());
  PetscCall(TwofoldListAdd(&FeatureMatList, type, (TwofoldConstructor)create));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatGetRegistered(PetscInt *n, const char ***types)
{
  PetscFunctionBegin;
  PetscCall(FeatureMatRegisterAll());
  PetscCall(TwofoldListTypes(FeatureMatList, n, types));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatCreate(MPI_Comm comm, FeatureMat *mat)
{
  FeatureMat X;

  PetscFunctionBegin;
  PetscCall(FeatureMatRegisterAll());
  PetscCall(PetscHeaderCreate(X, FEATUREMAT_CLASSID, "FeatureMat", "Feature matrix", "Data", comm,
                              FeatureMatDestroy, FeatureMatView));
  X->plocal = PETSC_DECIDE;
  *mat = X;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatDestroy(FeatureMat *X)
{
  PetscFunctionBegin;
  if (!TwofoldLastReference((PetscObject *)X)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscTryTypeMethod(*X, destroy);
  PetscCall(PetscLayoutDestroy(&(*X)->features));
  PetscCall(PetscLayoutDestroy(&(*X)->samples));
  PetscCall(PetscFree((*X)->label));
  PetscCall(PetscFree((*X)->target));
  PetscCall(PetscHeaderDestroy(X));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatSetOptionsPrefix(FeatureMat X, const char prefix[])
{
  PetscFunctionBegin;
  PetscCall(PetscObjectSetOptionsPrefix((PetscObject)X, prefix));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatSetType(FeatureMat X, FeatureMatType type)
{
  PetscFunctionBegin;
  PetscCall(TwofoldSetType((PetscObject)X, FeatureMatList, "data_kernel", type,
                           (TwofoldTypeFn)X->ops->destroy, X->ops, sizeof(struct _FeatureMatOps), NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatSetFromOptions(FeatureMat X)
{
  char type[64];

  PetscFunctionBegin;
  PetscObjectOptionsBegin((PetscObject)X);
  PetscCall(TwofoldOptionsType(PetscOptionsObject, "-data_kernel", "Kernels of the products X W and X^T R",
                               "FeatureMatSetType", FeatureMatList, FEATUREMATGRID, type, sizeof(type)));
  PetscCall(FeatureMatSetType(X, type));
  PetscTryTypeMethod(X, setfromoptions, PetscOptionsObject);
  PetscOptionsEnd();
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatSetGrid(FeatureMat X, PetscInt Pr, PetscInt Pc)
{
  PetscFunctionBegin;
  PetscCheck((Pr > 0 && Pc > 0) || (Pr == 0 && Pc == 0), PetscObjectComm((PetscObject)X),
             PETSC_ERR_ARG_OUTOFRANGE, "a grid of %" PetscInt_FMT " x %" PetscInt_FMT " blocks", Pr, Pc);
  X->grid[0] = Pr;
  X->grid[1] = Pc;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatGetGrid(FeatureMat X, PetscInt *Pr, PetscInt *Pc)
{
  PetscFunctionBegin;
  if (Pr) *Pr = X->Pr;
  if (Pc) *Pc = X->Pc;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatSetStorage(FeatureMat X, FeatureMatStorage storage)
{
  PetscFunctionBegin;
  X->storage = storage;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatGetStored(FeatureMat X, PetscInt64 *sparse, PetscInt64 *dense)
{
  PetscFunctionBegin;
  if (sparse) *sparse = X->stored[0];
  if (dense) *dense = X->stored[1];
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatSetLocalFeatures(FeatureMat X, PetscInt plocal)
{
  PetscFunctionBegin;
  X->plocal = plocal;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatSetEven(FeatureMat X, PetscBool even)
{
  PetscFunctionBegin;
  X->even = even;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CopyLabels(FeatureMat X, DataSet ds)
{
  const PetscInt *label;
  const PetscReal *target;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(DataSetGetRows(ds, &n, NULL, NULL, NULL, &label));
  PetscCall(DataSetGetTargets(ds, &target));
  PetscCall(PetscFree(X->label));
  PetscCall(PetscFree(X->target));
  if (label) PetscCall(PetscMalloc1(n + 1, &X->label));
  if (label) PetscCall(PetscArraycpy(X->label, label, n));
  if (target) PetscCall(PetscMalloc1(n + 1, &X->target));
  if (target) PetscCall(PetscArraycpy(X->target, target, n));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* max ||x_i|| of a data set's samples, each with a 1 for the bias. */
static PetscErrorCode LargestRow(DataSet ds, PetscBool bias, PetscReal *norm)
{
  PetscInt nlocal;
  const PetscInt *rowptr;
  const PetscScalar *val;
  PetscReal largest = 0;

  PetscFunctionBegin;
  PetscCall(DataSetGetRows(ds, &nlocal, &rowptr, NULL, &val, NULL));
  for (PetscInt i = 0; i < nlocal; i++) {
    PetscReal square = bias ? 1 : 0;
    for (PetscInt k = rowptr[i]; k < rowptr[i + 1]; k++) square += val[k] * val[k];
    largest = PetscMax(largest, square);
  }
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, &largest, 1, MPIU_REAL, MPIU_MAX, PetscObjectComm((PetscObject)ds)));
  *norm = PetscSqrtReal(largest);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Rows of W on this rank: as asked for, as the type likes it, or the same number everywhere. */
static PetscErrorCode LayOutFeatures(FeatureMat X, DataSet ds, PetscBool bias)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)X);
  PetscMPIInt rank, size;
  PetscInt plocal = X->plocal, pfeatures;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  if (plocal == PETSC_DECIDE && X->ops->layout && !X->even) {
    PetscUseTypeMethod(X, layout, ds, bias, &plocal);
  } else if (plocal == PETSC_DECIDE) {
    pfeatures = X->p - (bias ? 1 : 0);
    PetscCall(PetscSplitOwnership(comm, &plocal, &pfeatures));
    if (bias && rank == size - 1) plocal++; /* its row of W stands last */
  }
  PetscCall(PetscLayoutDestroy(&X->features));
  PetscCall(PetscLayoutCreateFromSizes(comm, plocal, X->p, 1, &X->features));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatSetData(FeatureMat X, DataSet ds, PetscInt c, PetscBool bias)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)X);
  PetscInt nlocal;
  const PetscInt *rowptr;

  PetscFunctionBegin;
  PetscCheck(((PetscObject)X)->type_name, comm, PETSC_ERR_ARG_TYPENOTSET,
             "FeatureMatSetType() or SetFromOptions() first");
  PetscCheck(c > 0, comm, PETSC_ERR_ARG_OUTOFRANGE, "FeatureMatSetData: %" PetscInt_FMT " columns", c);
  PetscCall(DataSetGetSizes(ds, &X->n, &X->p, NULL));
  PetscCall(DataSetGetRows(ds, &nlocal, &rowptr, NULL, NULL, NULL));
  X->nnz = rowptr[nlocal] + (bias ? nlocal : 0);
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, &X->nnz, 1, MPIU_INT64, MPI_SUM, comm));
  X->one_pass = PETSC_FALSE;
  X->stored[0] = X->nnz; /* unless the type has dense blocks */
  X->stored[1] = 0;
  if (bias) X->p++;
  X->c = c;
  X->norm = (TwofoldConstant){.standing = TWOFOLD_UNKNOWN};
  PetscCall(LargestRow(ds, bias, &X->row_norm));
  PetscCall(LayOutFeatures(X, ds, bias));
  PetscCall(PetscLayoutDestroy(&X->samples));
  PetscCall(PetscLayoutCreateFromSizes(comm, nlocal, X->n, 1, &X->samples));
  X->Pr = 1;
  X->Pc = X->samples->size;
  PetscCall(CopyLabels(X, ds));
  PetscUseTypeMethod(X, setdata, ds, bias);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatGetSizes(FeatureMat X, PetscInt *n, PetscInt *p, PetscInt *c)
{
  PetscFunctionBegin;
  if (n) *n = X->n;
  if (p) *p = X->p;
  if (c) *c = X->c;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatGetNonzeros(FeatureMat X, PetscInt64 *nnz)
{
  PetscFunctionBegin;
  *nnz = X->nnz;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatGetLocalFeatures(FeatureMat X, PetscInt *plocal)
{
  PetscFunctionBegin;
  PetscCheck(X->features, PetscObjectComm((PetscObject)X), PETSC_ERR_ARG_WRONGSTATE,
             "FeatureMatSetData() first");
  *plocal = X->features->n;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatGetRowNorm(FeatureMat X, PetscReal *norm)
{
  PetscFunctionBegin;
  *norm = X->row_norm;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatGetLabels(FeatureMat X, PetscInt *nlocal, const PetscInt *label[])
{
  PetscFunctionBegin;
  if (nlocal) *nlocal = X->samples->n;
  if (label) *label = X->label;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatGetTargets(FeatureMat X, PetscInt *nlocal, const PetscReal *target[])
{
  PetscFunctionBegin;
  if (nlocal) *nlocal = X->samples->n;
  if (target) *target = X->target;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CreateBlockVec(FeatureMat X, PetscLayout rows, Vec *v)
{
  PetscFunctionBegin;
  PetscCall(VecCreate(PetscObjectComm((PetscObject)X), v));
  PetscCall(VecSetSizes(*v, rows->n * X->c, rows->N * X->c));
  PetscCall(VecSetBlockSize(*v, X->c));
  PetscCall(VecSetFromOptions(*v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatCreateVecs(FeatureMat X, Vec *W, Vec *Z)
{
  PetscFunctionBegin;
  PetscCheck(X->features, PetscObjectComm((PetscObject)X), PETSC_ERR_ARG_WRONGSTATE,
             "FeatureMatSetData() first");
  if (W) PetscCall(CreateBlockVec(X, X->features, W));
  if (Z) PetscCall(CreateBlockVec(X, X->samples, Z));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatMult(FeatureMat X, Vec W, Vec Z)
{
  PetscFunctionBegin;
  PetscCall(PetscLogEventBegin(TWOFOLD_MatMult, X, W, Z, 0));
  PetscUseTypeMethod(X, mult, W, Z);
  PetscCall(PetscLogEventEnd(TWOFOLD_MatMult, X, W, Z, 0));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatMultTranspose(FeatureMat X, Vec R, Vec G)
{
  PetscFunctionBegin;
  PetscCall(PetscLogEventBegin(TWOFOLD_MatMultTranspose, X, R, G, 0));
  PetscUseTypeMethod(X, multtranspose, R, G);
  PetscCall(PetscLogEventEnd(TWOFOLD_MatMultTranspose, X, R, G, 0));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatMultTransposeSquared(FeatureMat X, Vec R, Vec G)
{
  PetscFunctionBegin;
  PetscCheck(X->ops->multtransposesquared, PetscObjectComm((PetscObject)X), PETSC_ERR_SUP,
             "-data_kernel %s cannot multiply by the squares of X: use -data_kernel %s",
             ((PetscObject)X)->type_name, FEATUREMATREFERENCE);
  PetscCall(PetscLogEventBegin(TWOFOLD_MatMultTranspose, X, R, G, 0));
  PetscUseTypeMethod(X, multtransposesquared, R, G);
  PetscCall(PetscLogEventEnd(TWOFOLD_MatMultTranspose, X, R, G, 0));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatGetMemory(FeatureMat X, PetscLogDouble *bytes)
{
  PetscFunctionBegin;
  *bytes = 0;
  PetscUseTypeMethod(X, memory, bytes);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatView(FeatureMat X, PetscViewer viewer)
{
  PetscBool ascii;

  PetscFunctionBegin;
  PetscCall(TwofoldViewHeader((PetscObject)X, &viewer, &ascii));
  if (!ascii) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscViewerASCIIPrintf(
      viewer, "  %" PetscInt_FMT " samples x %" PetscInt_FMT " features, %" PetscInt_FMT " columns\n", X->n,
      X->p, X->c));
  PetscTryTypeMethod(X, view, viewer);
  PetscFunctionReturn(PETSC_SUCCESS);
}
