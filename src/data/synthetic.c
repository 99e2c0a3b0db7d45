/* Samples that are made instead of read: of a linear model with Gaussian features,

     X_ij, w*_j, e_i ~ N(0, 1),     y = X w* + noise e     (regression), or its sign (sign),

   every number a function of (seed, global index) and of nothing else. */
#include <twofold/impl/datasetimpl.h>

const char *const DataSetSyntheticKinds[] = {"regression", "sign", "DataSetSyntheticKind",
                                             "DATASET_SYNTHETIC_", NULL};

/* The sequences of random numbers: w*, which all parts share, and X and e of each part. */
enum { TRUTH, FEATURES, NOISE, STREAMS };

static PetscInt64 Stream(const DataSetSyntheticRule *rule, int which, PetscInt part)
{
  return TwofoldRandomBits(rule->seed, which == TRUTH ? TRUTH : which + (STREAMS - 1) * (PetscInt64)part);
}

static PetscErrorCode CheckRule(MPI_Comm comm, const DataSetSyntheticRule *rule, PetscInt part)
{
  PetscMPIInt size;
  PetscInt most;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCheck(rule->n >= 1 && rule->p >= 1 && part >= 0, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "synthetic samples: %" PetscInt_FMT
             " samples (-blp_synthetic_n, _nval, _ntest) of %" PetscInt_FMT
             " features (-blp_synthetic_p): there must be at least one of each",
             rule->n, rule->p);
  PetscCheck(rule->noise >= 0 && !PetscIsInfReal(rule->noise), comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-blp_synthetic_noise %g: must be finite and not negative", (double)rule->noise);
  PetscCall(PetscIntMultError((rule->n - 1) / size + 1, rule->p, &most)); /* entries of a rank */
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Row i of X, and its y. */
static PetscReal MakeRow(const DataSetSyntheticRule *rule, PetscInt part, PetscInt i, const PetscReal truth[],
                         PetscInt col[], PetscScalar x[])
{
  const PetscInt64 features = Stream(rule, FEATURES, part), first = (PetscInt64)i * rule->p;
  PetscReal y = 0;

  for (PetscInt j = 0; j < rule->p; j++) {
    col[j] = j;
    x[j] = TwofoldRandomNormal(features, first + j);
    y += PetscRealPart(x[j]) * truth[j];
  }
  y += rule->noise * TwofoldRandomNormal(Stream(rule, NOISE, part), i);
  if (rule->kind == DATASET_SYNTHETIC_SIGN) return y < 0 ? -1 : 1;
  return y;
}

PetscErrorCode DataSetCreateSynthetic(MPI_Comm comm, const DataSetSyntheticRule *rule, PetscInt part,
                                      DataSet *ds)
{
  const PetscInt p = rule->p;
  PetscInt nlocal = PETSC_DECIDE, n = rule->n, start, *rowptr, *col;
  PetscScalar *val;
  PetscReal *truth, *y;
  DataSet made;

  PetscFunctionBegin;
  PetscCall(CheckRule(comm, rule, part));
  PetscCall(PetscSplitOwnership(comm, &nlocal, &n));
  PetscCallMPI(MPI_Scan(&nlocal, &start, 1, MPIU_INT, MPI_SUM, comm));
  start -= nlocal;
  PetscCall(PetscMalloc1(nlocal + 1, &rowptr));
  PetscCall(PetscMalloc1(nlocal * p + 1, &col));
  PetscCall(PetscMalloc1(nlocal * p + 1, &val));
  PetscCall(PetscMalloc2(p, &truth, nlocal, &y));
  for (PetscInt j = 0; j < p; j++) truth[j] = TwofoldRandomNormal(Stream(rule, TRUTH, part), j);
  for (PetscInt i = 0; i < nlocal; i++)
    y[i] = MakeRow(rule, part, start + i, truth, col + i * p, val + i * p);
  for (PetscInt i = 0; i <= nlocal; i++) rowptr[i] = i * p;
  PetscCall(DataSetCreate(comm, &made));
  PetscCall(PetscStrallocpy("synthetic samples", &made->path));
  PetscCall(PetscStrncpy(made->format, "synthetic", sizeof(made->format)));
  PetscCall(DataSetSetTargets(made, (PetscBool)(rule->kind == DATASET_SYNTHETIC_REGRESSION)));
  PetscCall(DataSetTakeRows_Private(made, nlocal, rowptr, col, val, y, p, PETSC_TRUE));
  PetscCall(PetscFree2(truth, y));
  *ds = made;
  PetscFunctionReturn(PETSC_SUCCESS);
}
