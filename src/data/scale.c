/* Scaling of features by statistics of the training samples: x' = (x - shift) * scale. */
#include <twofold/impl/datasetimpl.h>

const char *const DataSetScales[] = {"none", "unit", "standard", "DataSetScale", "DATASET_SCALE_", NULL};

/* A set that a shift makes dense may take this much memory on a rank. */
enum { dense_limit = 1 }; /* GB */

/* ------------------------------------------------------------------ features of this rank's rows */

/* Local copies of a few entries of vectors that are distributed by features. */
typedef struct {
  PetscInt n, *feature; /* features of this rank's rows, increasing */
  PetscInt *at;         /* which of them each stored entry belongs to */
  Vec all, mine;        /* of all features, distributed; of these */
  VecScatter scatter;   /* from all to mine */
} Columns;

/* The features that some row of this rank stores. */
static PetscErrorCode FindFeatures(DataSet ds, Columns *columns)
{
  const PetscInt nnz = ds->rowptr[ds->rows->n];

  PetscFunctionBegin;
  columns->n = nnz;
  PetscCall(PetscMalloc1(nnz + 1, &columns->feature));
  PetscCall(PetscMalloc1(nnz + 1, &columns->at));
  PetscCall(PetscArraycpy(columns->feature, ds->col, nnz));
  PetscCall(PetscSortRemoveDupsInt(&columns->n, columns->feature));
  for (PetscInt k = 0; k < nnz; k++)
    PetscCall(PetscFindInt(ds->col[k], columns->n, columns->feature, &columns->at[k]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* All features, where this rank has rows. */
static PetscErrorCode TakeAllFeatures(DataSet ds, Columns *columns)
{
  PetscFunctionBegin;
  columns->n = ds->rows->n ? ds->p : 0;
  PetscCall(PetscMalloc1(columns->n + 1, &columns->feature));
  for (PetscInt j = 0; j < columns->n; j++) columns->feature[j] = j;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Connects the features to vectors like `all`. */
static PetscErrorCode Connect(Columns *columns, Vec all)
{
  IS from;

  PetscFunctionBegin;
  columns->all = all;
  PetscCall(VecCreateSeq(PETSC_COMM_SELF, columns->n, &columns->mine));
  PetscCall(ISCreateGeneral(PETSC_COMM_SELF, columns->n, columns->feature, PETSC_USE_POINTER, &from));
  PetscCall(VecScatterCreate(all, from, columns->mine, NULL, &columns->scatter));
  PetscCall(ISDestroy(&from));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ColumnsDestroy(Columns *columns)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(columns->feature));
  PetscCall(PetscFree(columns->at));
  PetscCall(VecDestroy(&columns->mine));
  PetscCall(VecScatterDestroy(&columns->scatter));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Combines the ranks' contributions, one for each of their features, with what `all` has. Collective. */
static PetscErrorCode Combine(const Columns *columns, const PetscReal contribution[], InsertMode how, Vec all)
{
  PetscScalar *to;

  PetscFunctionBegin;
  PetscCall(VecGetArrayWrite(columns->mine, &to));
  for (PetscInt j = 0; j < columns->n; j++) to[j] = contribution[j];
  PetscCall(VecRestoreArrayWrite(columns->mine, &to));
  PetscCall(VecScatterBegin(columns->scatter, columns->mine, all, how, SCATTER_REVERSE));
  PetscCall(VecScatterEnd(columns->scatter, columns->mine, all, how, SCATTER_REVERSE));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Copies the entries of this rank's features; of a NULL vector, zeros. Collective. */
static PetscErrorCode Gather(const Columns *columns, Vec all, PetscReal entry[])
{
  const PetscScalar *from;

  PetscFunctionBegin;
  PetscCall(PetscArrayzero(entry, columns->n));
  if (!all) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecScatterBegin(columns->scatter, all, columns->mine, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterEnd(columns->scatter, all, columns->mine, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGetArrayRead(columns->mine, &from));
  for (PetscInt j = 0; j < columns->n; j++) entry[j] = PetscRealPart(from[j]);
  PetscCall(VecRestoreArrayRead(columns->mine, &from));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ statistics */

/* A scale that is not finite names its feature, on every rank. */
static PetscErrorCode CheckFinite(DataSet train, Vec scale)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)train);
  const PetscScalar *s;
  PetscInt n, start, bad = PETSC_MAX_INT, first;

  PetscFunctionBegin;
  PetscCall(VecGetOwnershipRange(scale, &start, NULL));
  PetscCall(VecGetLocalSize(scale, &n));
  PetscCall(VecGetArrayRead(scale, &s));
  for (PetscInt j = n - 1; j >= 0; j--)
    if (PetscIsInfOrNanScalar(s[j])) bad = start + j;
  PetscCall(VecRestoreArrayRead(scale, &s));
  PetscCall(MPIU_Allreduce(&bad, &first, 1, MPIU_INT, MPI_MIN, comm));
  PetscCheck(first == PETSC_MAX_INT, comm, PETSC_ERR_FILE_UNEXPECTED,
             "-data_scale: feature %" PetscInt_FMT
             " (from 0) of %s has values too large or too small for its "
             "scale to be a number: correct the data, or use another unit of measurement",
             first, train->path ? train->path : "the training set");
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* scale = 1 / max |x|. */
static PetscErrorCode ComputeUnit(DataSet train, const Columns *columns, Vec scale)
{
  const PetscInt nnz = train->rowptr[train->rows->n];
  PetscReal *largest;
  PetscScalar *s;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(PetscCalloc1(columns->n + 1, &largest));
  for (PetscInt k = 0; k < nnz; k++) {
    PetscReal *const m = &largest[columns->at[k]];
    *m = PetscMax(*m, PetscAbsScalar(train->val[k]));
  }
  PetscCall(Combine(columns, largest, MAX_VALUES, scale));
  PetscCall(PetscFree(largest));
  PetscCall(VecGetLocalSize(scale, &n));
  PetscCall(VecGetArray(scale, &s));
  for (PetscInt j = 0; j < n; j++) s[j] = s[j] == 0 ? 1 : 1 / s[j];
  PetscCall(VecRestoreArray(scale, &s));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* What standardising needs to know of each feature, distributed by features. */
enum { COUNT, SUM, LOW, HIGH, DEVIATION, SQUARES, NSTATISTICS };

/* Number, sum, least and largest of the entries that are stored. */
static PetscErrorCode FirstPass(DataSet train, const Columns *columns, Vec statistic[])
{
  const PetscInt m = columns->n, nnz = train->rowptr[train->rows->n];
  PetscReal *count, *sum, *low, *high;

  PetscFunctionBegin;
  PetscCall(PetscCalloc4(m, &count, m, &sum, m, &low, m, &high));
  for (PetscInt k = 0; k < nnz; k++) {
    const PetscInt j = columns->at[k];
    const PetscReal x = PetscRealPart(train->val[k]);
    low[j] = count[j] > 0 ? PetscMin(low[j], x) : x;
    high[j] = count[j] > 0 ? PetscMax(high[j], x) : x;
    count[j] += 1;
    sum[j] += x;
  }
  PetscCall(VecSet(statistic[LOW], PETSC_MAX_REAL));
  PetscCall(VecSet(statistic[HIGH], PETSC_MIN_REAL));
  PetscCall(Combine(columns, count, ADD_VALUES, statistic[COUNT]));
  PetscCall(Combine(columns, sum, ADD_VALUES, statistic[SUM]));
  PetscCall(Combine(columns, low, MIN_VALUES, statistic[LOW]));
  PetscCall(Combine(columns, high, MAX_VALUES, statistic[HIGH]));
  PetscCall(PetscFree4(count, sum, low, high));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Sums of x - mean and of (x - mean)^2 over the entries that are stored. */
static PetscErrorCode SecondPass(DataSet train, const Columns *columns, Vec shift, Vec statistic[])
{
  const PetscInt m = columns->n, nnz = train->rowptr[train->rows->n];
  PetscReal *mean, *deviation, *squares;

  PetscFunctionBegin;
  PetscCall(PetscCalloc3(m, &mean, m, &deviation, m, &squares));
  PetscCall(Gather(columns, shift, mean));
  for (PetscInt k = 0; k < nnz; k++) {
    const PetscInt j = columns->at[k];
    const PetscReal d = PetscRealPart(train->val[k]) - mean[j];
    deviation[j] += d;
    squares[j] += d * d;
  }
  PetscCall(Combine(columns, deviation, ADD_VALUES, statistic[DEVIATION]));
  PetscCall(Combine(columns, squares, ADD_VALUES, statistic[SQUARES]));
  PetscCall(PetscFree3(mean, deviation, squares));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Shift and scale of one feature of n samples. The zeros that are not stored count like any other value, and
   what rounding left of the sum of deviations corrects both moments. */
static void Standardise(PetscReal n, const PetscReal s[NSTATISTICS], PetscScalar *shift, PetscScalar *scale)
{
  const PetscReal smallest = 1e-290; /* below, squares lose digits or vanish */
  const PetscReal zeros = n - s[COUNT], mean = PetscRealPart(*shift);
  const PetscReal low = zeros > 0 ? PetscMin(s[LOW], 0) : s[LOW];
  const PetscReal high = zeros > 0 ? PetscMax(s[HIGH], 0) : s[HIGH];
  const PetscReal deviation = (s[DEVIATION] - zeros * mean) / n;
  const PetscReal variance = (s[SQUARES] + zeros * mean * mean) / n - deviation * deviation;

  *shift = low == high ? low : mean + deviation;
  *scale = low == high                                         ? 0
           : variance > smallest && variance <= PETSC_MAX_REAL ? 1 / PetscSqrtReal(variance)
                                                               : NAN;
}

/* shift = mean, scale = 1 / standard deviation. */
static PetscErrorCode ComputeStandard(DataSet train, const Columns *columns, Vec shift, Vec scale)
{
  PetscReal s[NSTATISTICS];
  PetscScalar **x, *a, *b;
  PetscInt n;
  Vec *statistic;

  PetscFunctionBegin;
  PetscCall(VecDuplicateVecs(scale, NSTATISTICS, &statistic));
  for (int i = 0; i < NSTATISTICS; i++) PetscCall(VecSet(statistic[i], 0));
  PetscCall(FirstPass(train, columns, statistic));
  PetscCall(VecCopy(statistic[SUM], shift));
  PetscCall(VecScale(shift, 1 / (PetscReal)train->n));
  PetscCall(SecondPass(train, columns, shift, statistic));
  PetscCall(VecGetLocalSize(scale, &n));
  PetscCall(VecGetArrays(statistic, NSTATISTICS, &x));
  PetscCall(VecGetArray(shift, &a));
  PetscCall(VecGetArray(scale, &b));
  for (PetscInt j = 0; j < n; j++) {
    for (int i = 0; i < NSTATISTICS; i++) s[i] = PetscRealPart(x[i][j]);
    Standardise((PetscReal)train->n, s, &a[j], &b[j]);
  }
  PetscCall(VecRestoreArray(scale, &b));
  PetscCall(VecRestoreArray(shift, &a));
  PetscCall(VecRestoreArrays(statistic, NSTATISTICS, &x));
  PetscCall(VecDestroyVecs(NSTATISTICS, &statistic));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetComputeScaling(DataSet train, DataSetScale kind, Vec *shift, Vec *scale)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)train);
  Columns columns = {0};

  PetscFunctionBegin;
  *shift = *scale = NULL;
  if (kind == DATASET_SCALE_NONE) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCheck(train->rows && train->n > 0, comm, PETSC_ERR_ARG_WRONGSTATE,
             "DataSetComputeScaling: there are no samples to scale by");
  PetscCall(VecCreateMPI(comm, PETSC_DECIDE, train->p, scale));
  PetscCall(PetscObjectSetName((PetscObject)*scale, "scale"));
  PetscCall(VecSet(*scale, 0));
  PetscCall(FindFeatures(train, &columns));
  PetscCall(Connect(&columns, *scale));
  if (kind == DATASET_SCALE_UNIT) {
    PetscCall(ComputeUnit(train, &columns, *scale));
  } else {
    PetscCall(VecDuplicate(*scale, shift));
    PetscCall(PetscObjectSetName((PetscObject)*shift, "shift"));
    PetscCall(ComputeStandard(train, &columns, *shift, *scale));
  }
  PetscCall(ColumnsDestroy(&columns));
  PetscCall(CheckFinite(train, *scale));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ application */

/* Scales what is stored. */
static PetscErrorCode ScaleEntries(DataSet ds, Vec scale)
{
  const PetscInt nnz = ds->rowptr[ds->rows->n];
  Columns columns = {0};
  PetscReal *s;

  PetscFunctionBegin;
  PetscCall(FindFeatures(ds, &columns));
  PetscCall(Connect(&columns, scale));
  PetscCall(PetscMalloc1(columns.n + 1, &s));
  PetscCall(Gather(&columns, scale, s));
  for (PetscInt k = 0; k < nnz; k++) ds->val[k] *= s[columns.at[k]];
  PetscCall(PetscFree(s));
  PetscCall(ColumnsDestroy(&columns));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Refuses data that would become too large, on every rank: by the rank that would hold most. */
static PetscErrorCode CheckDenseSize(DataSet ds)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)ds);
  const PetscReal entry = (PetscReal)(sizeof(PetscScalar) + sizeof(PetscInt));
  PetscReal size = (PetscReal)ds->rows->n * (PetscReal)ds->p * entry / 1e9;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &size, 1, MPIU_REAL, MPIU_MAX, comm));
  PetscCheck(
      size <= dense_limit, comm, PETSC_ERR_ARG_OUTOFRANGE,
      "-data_scale standard makes %s dense: its %" PetscInt_FMT " samples of %" PetscInt_FMT
      " features take %.3g GB on one rank, and %d GB is allowed; -data_scale unit keeps it sparse, and "
      "more ranks share it",
      ds->path ? ds->path : "the data set", ds->n, ds->p, (double)size, (int)dense_limit);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Writes one dense row and returns its number of entries; results of zero are not stored. */
static PetscInt CentreRow(DataSet ds, PetscInt i, const PetscReal shift[], const PetscReal scale[],
                          PetscInt col[], PetscScalar val[])
{
  PetscInt k = ds->rowptr[i], n = 0;

  for (PetscInt j = 0; j < ds->p; j++) {
    const PetscReal x = k < ds->rowptr[i + 1] && ds->col[k] == j ? PetscRealPart(ds->val[k++]) : 0;
    col[n] = j;
    val[n] = (x - shift[j]) * scale[j];
    if (val[n] != 0) n++;
  }
  return n;
}

/* Centres and scales all entries. */
static PetscErrorCode CentreRows(DataSet ds, Vec shift, Vec scale)
{
  const PetscInt n = ds->rows->n;
  Columns columns = {0};
  PetscReal *a, *b;
  PetscInt *col, end = 0;
  PetscScalar *val;

  PetscFunctionBegin;
  PetscCall(CheckDenseSize(ds));
  PetscCall(TakeAllFeatures(ds, &columns));
  PetscCall(PetscMalloc2(columns.n, &a, columns.n, &b));
  PetscCall(Connect(&columns, scale));
  PetscCall(Gather(&columns, scale, b));
  PetscCall(Gather(&columns, shift, a));
  PetscCall(
      PetscMalloc1(n * ds->p + 1, &col)); /* one more, where the last row writes what it does not keep */
  PetscCall(PetscMalloc1(n * ds->p + 1, &val));
  for (PetscInt i = 0; i < n; i++) {
    const PetscInt begin = end;
    end += CentreRow(ds, i, a, b, col + end, val + end);
    ds->rowptr[i] = begin;
  }
  ds->rowptr[n] = end;
  PetscCall(PetscFree(ds->col));
  PetscCall(PetscFree(ds->val));
  ds->col = col;
  ds->val = val;
  PetscCall(PetscFree2(a, b));
  PetscCall(ColumnsDestroy(&columns));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetApplyScaling(DataSet ds, Vec shift, Vec scale)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)ds);
  PetscInt N;

  PetscFunctionBegin;
  if (!scale) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCheck(ds->rows, comm, PETSC_ERR_ARG_WRONGSTATE,
             "the data set is empty: DataSetLoad() or DataSetSetRows() first");
  PetscCheck(!ds->scaled, comm, PETSC_ERR_ARG_WRONGSTATE, "%s was scaled before: scaling twice is a mistake",
             ds->path ? ds->path : "the data set");
  PetscCall(VecGetSize(scale, &N));
  PetscCheck(N == ds->p, comm, PETSC_ERR_ARG_SIZ,
             "%s has %" PetscInt_FMT " features, the scaling was made for %" PetscInt_FMT,
             ds->path ? ds->path : "the data set", ds->p, N);
  if (shift)
    PetscCall(CentreRows(ds, shift, scale));
  else
    PetscCall(ScaleEntries(ds, scale));
  ds->scaled = PETSC_TRUE;
  PetscFunctionReturn(PETSC_SUCCESS);
}
