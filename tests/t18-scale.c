/* Scaling of features against means, variances and largest values computed entry by entry. */
#include "files.h"
#include "problem.h"
#include <twofold/impl/blpimpl.h>
#include <twofold/impl/datasetimpl.h>

enum { n_train = 47, n_val = 10, p = 9 };

/* Entry (i, j): features of every kind. Rows of validation follow those of training. */
static double Entry(int i, int j)
{
  const double z = (double)TwofoldRandomNormal(4, 100 * i + j);

  switch (j) {
  case 0:
    return 0.1; /* constant */
  case 1:
    return 1e8 + z; /* far from 0 */
  case 2:
    return i % 4 ? 0 : z; /* sparse */
  case 3:
    return i < n_train ? 0 : z; /* zero in training */
  case 4:
    return i == 17 ? -3 : 0; /* one entry */
  case 5:
    return 1e-160 * z; /* its squares are subnormal or zero */
  case 6:
    return i % 3 ? 0.25 : 0; /* zeros are not stored, so that what is stored is constant */
  default:
    return 1e3 * z;
  }
}

/* How features are made: as Entry() says, or without the one whose variance underflows. */
static double Tame(int i, int j)
{
  return j == 5 ? 1e3 * Entry(i, 8) - 7 : Entry(i, j);
}

/* Rows [first, first + n) dealt over the ranks. */
static PetscErrorCode MakeSet(double (*entry)(int, int), int first, PetscInt n, DataSet *ds)
{
  PetscInt nlocal = PETSC_DECIDE, start, k = 0, rowptr[n_train + 1], col[n_train * p];
  PetscScalar val[n_train * p];
  PetscReal y[n_train];

  PetscFunctionBegin;
  PetscCall(PetscSplitOwnership(TEST_COMM, &nlocal, &n));
  PetscCallMPI(MPI_Scan(&nlocal, &start, 1, MPIU_INT, MPI_SUM, TEST_COMM));
  start += first - nlocal;
  rowptr[0] = 0;
  for (PetscInt i = 0; i < nlocal; i++) {
    for (int j = 0; j < p; j++) {
      const double x = entry((int)(start + i), j);
      if (x == 0) continue;
      col[k] = j;
      val[k++] = x;
    }
    rowptr[i + 1] = k;
    y[i] = (start + i) % 2;
  }
  PetscCall(DataSetCreate(TEST_COMM, ds));
  PetscCall(DataSetSetRows(*ds, nlocal, rowptr, col, val, y, p, PETSC_TRUE));
  PetscFunctionReturn(0);
}

/* What the statistics must be, in extended precision from all entries. */
static void Expected(double (*entry)(int, int), DataSetScale kind, double shift[], double scale[])
{
  for (int j = 0; j < p; j++) {
    long double sum = 0, squares = 0;
    double largest = 0;
    int constant = 1;
    for (int i = 0; i < n_train; i++) {
      sum += entry(i, j);
      largest = PetscMax(largest, PetscAbsReal(entry(i, j)));
      constant = constant && entry(i, j) == entry(0, j);
    }
    const long double mean = sum / n_train;
    for (int i = 0; i < n_train; i++) squares += (entry(i, j) - mean) * (entry(i, j) - mean);
    shift[j] = kind == DATASET_SCALE_UNIT ? 0 : (double)mean;
    if (kind == DATASET_SCALE_UNIT)
      scale[j] = largest > 0 ? 1 / largest : 1;
    else
      scale[j] = constant ? 0 : (double)(1 / sqrtl(squares / n_train));
  }
}

/* The distributed vector must have these entries, up to `tol` times `size`. */
static PetscErrorCode CheckVec(Vec v, const double expected[], const double size[], double tol,
                               const char what[])
{
  const PetscScalar *entry;
  PetscInt start, end, N, bad = 0;

  PetscFunctionBegin;
  PetscCall(VecGetSize(v, &N));
  CHECK(N == p, "%s has %d entries", what, (int)N);
  PetscCall(VecGetOwnershipRange(v, &start, &end));
  PetscCall(VecGetArrayRead(v, &entry));
  for (PetscInt j = start; j < end; j++)
    if (!(PetscAbsReal(entry[j - start] - expected[j]) <= tol * PetscAbsReal(size[j]))) bad = j + 1;
  PetscCall(VecRestoreArrayRead(v, &entry));
  CHECK(!bad, "%s: entry %d is wrong", what, (int)bad - 1);
  PetscFunctionReturn(0);
}

/* Every entry must be (x - shift) * scale; those that are not stored are zero. */
static PetscErrorCode CheckRows(DataSet ds, double (*entry)(int, int), int first, const double shift[],
                                const double scale[])
{
  const PetscInt *rowptr, *col;
  const PetscScalar *val;
  PetscInt nlocal, bad = 0;

  PetscFunctionBegin;
  PetscCall(DataSetGetRows(ds, &nlocal, &rowptr, &col, &val, NULL));
  for (PetscInt i = 0; i < nlocal; i++) {
    PetscInt k = rowptr[i];
    for (int j = 0; j < p; j++) {
      const double x = entry((int)(first + ds->rows->rstart + i), j), wanted = (x - shift[j]) * scale[j];
      const double got = k < rowptr[i + 1] && col[k] == j ? (double)val[k++] : 0;
      const double size = PetscMax(PetscAbsReal(x), PetscAbsReal(shift[j])) * scale[j];
      if (!(PetscAbsReal(got - wanted) <= 1e-14 * size)) bad = j + 1;
    }
    if (k != rowptr[i + 1]) bad = p + 1;
    for (k = rowptr[i]; k < rowptr[i + 1]; k++)
      if (val[k] == 0) bad = p + 2; /* zeros are not stored */
  }
  CHECK(!bad, "feature %d is scaled wrongly", (int)bad - 1);
  PetscFunctionReturn(0);
}

static PetscErrorCode Scale(double (*entry)(int, int), DataSetScale kind)
{
  double shift[p], scale[p], largest[p] = {0};
  DataSet train, val;
  Vec a, b;

  PetscFunctionBegin;
  for (int i = 0; i < n_train; i++)
    for (int j = 0; j < p; j++) largest[j] = PetscMax(largest[j], PetscAbsReal(entry(i, j)));
  largest[1] *= 0.4; /* far from 0 the mean must be the nearest number */
  PetscCall(MakeSet(entry, 0, n_train, &train));
  PetscCall(MakeSet(entry, n_train, n_val, &val));
  PetscCall(DataSetComputeScaling(train, kind, &a, &b));
  Expected(entry, kind, shift, scale);
  CHECK(!a == (kind == DATASET_SCALE_UNIT), "a shift for unit, or none for standard");
  if (a) PetscCall(CheckVec(a, shift, largest, 2.5e-16, "shift"));
  PetscCall(CheckVec(b, scale, scale, kind == DATASET_SCALE_UNIT ? 0 : 1e-14, "scale"));
  PetscCall(DataSetApplyScaling(train, a, b));
  PetscCall(DataSetApplyScaling(val, a, b));
  PetscCall(CheckRows(train, entry, 0, shift, scale));
  PetscCall(CheckRows(val, entry, n_train, shift, scale));
  CHECK_SAYS(PETSC_ERR_ARG_WRONGSTATE, "was scaled before", DataSetApplyScaling(val, a, b));
  PetscCall(DataSetDestroy(&train));
  PetscCall(DataSetDestroy(&val));
  PetscCall(VecDestroy(&a));
  PetscCall(VecDestroy(&b));
  PetscFunctionReturn(0);
}

/* Nothing computed, nothing changed. */
static PetscErrorCode None(void)
{
  const double zero[p] = {0}, one[p] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
  DataSet ds;
  Vec a, b;

  PetscFunctionBegin;
  PetscCall(MakeSet(Entry, 0, n_train, &ds));
  PetscCall(DataSetComputeScaling(ds, DATASET_SCALE_NONE, &a, &b));
  CHECK(!a && !b, "vectors where nothing is scaled");
  PetscCall(DataSetApplyScaling(ds, a, b));
  PetscCall(CheckRows(ds, Entry, 0, zero, one));
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(0);
}

static double Huge(int i, int j)
{
  if (j == 6 && i == 0) return 0; /* so that the mean is 0 and only the squares overflow */
  return j == 6 ? (i % 2 ? 1e300 : -1e300) : Tame(i, j);
}

static double Tiny(int i, int j)
{
  return j == 6 ? 1e-310 * (i % 2) : Tame(i, j);
}

static PetscErrorCode Refuse(double (*entry)(int, int), DataSetScale kind, int feature)
{
  char says[64];
  DataSet ds;
  Vec a = NULL, b = NULL;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(says, sizeof(says), "-data_scale: feature %d (from 0)", feature));
  PetscCall(MakeSet(entry, 0, n_train, &ds));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, says, DataSetComputeScaling(ds, kind, &a, &b));
  PetscCall(VecDestroy(&a));
  PetscCall(VecDestroy(&b));
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(0);
}

/* Samples of p features with one entry each, 60 a rank: `standard` would take more than a rank may have. */
static PetscErrorCode TooLarge(void)
{
  enum { rows = 60, features = 2000000 };
  PetscInt rowptr[rows + 1], col[rows];
  PetscScalar val[rows];
  PetscReal y[rows];
  PetscMPIInt size;
  char says[128];
  DataSet ds;
  Vec a, b;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < rows; i++) {
    rowptr[i] = i;
    col[i] = 30000 * i;
    val[i] = 2;
    y[i] = (PetscReal)(i % 2);
  }
  rowptr[rows] = rows;
  PetscCallMPI(MPI_Comm_size(TEST_COMM, &size));
  PetscCall(DataSetCreate(TEST_COMM, &ds));
  PetscCall(DataSetSetRows(ds, rows, rowptr, col, val, y, features, PETSC_TRUE));
  PetscCall(DataSetComputeScaling(ds, DATASET_SCALE_STANDARD, &a, &b));
  PetscCall(PetscSNPrintf(says, sizeof(says), "%d samples of 2000000 features take %.3g GB on one rank",
                          rows * size, rows * 2e6 * (double)(sizeof(PetscScalar) + sizeof(PetscInt)) / 1e9));
  CHECK_SAYS(PETSC_ERR_ARG_OUTOFRANGE, says, DataSetApplyScaling(ds, a, b));
  PetscCall(DataSetApplyScaling(ds, NULL, b)); /* without the shift it stays sparse */
  CHECK(ds->rowptr[rows] == rows, "the data are no longer sparse");
  PetscCall(VecDestroy(&a));
  PetscCall(VecDestroy(&b));
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(0);
}

static PetscErrorCode WrongSize(void)
{
  DataSet ds;
  Vec b;

  PetscFunctionBegin;
  PetscCall(MakeSet(Tame, 0, n_train, &ds));
  PetscCall(VecCreateMPI(TEST_COMM, PETSC_DECIDE, p + 1, &b));
  CHECK_SAYS(PETSC_ERR_ARG_SIZ, "has 9 features, the scaling was made for 10",
             DataSetApplyScaling(ds, NULL, b));
  PetscCall(VecDestroy(&b));
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(0);
}

/* A problem that scales its samples; the validation set also tests, and must be scaled once. */
static PetscErrorCode Problem(DataSetScale kind)
{
  char text[64];
  double shift[p], scale[p];
  PetscOptions options;
  DataSet train, val;
  BLP blp;

  PetscFunctionBegin;
  Expected(Tame, kind, shift, scale);
  PetscCall(MakeSet(Tame, 0, n_train, &train));
  PetscCall(MakeSet(Tame, n_train, n_val, &val));
  PetscCall(PetscSNPrintf(text, sizeof(text), "-data_scale %s", DataSetScales[kind]));
  PetscCall(OptionsUse(text, &options));
  PetscCall(BLPCreate(TEST_COMM, &blp));
  PetscCall(BLPSetData(blp, train, val, val));
  PetscCall(BLPSetFromOptions(blp));
  PetscCall(BLPSetUp(blp));
  PetscCall(OptionsDrop(&options));
  PetscCall(CheckRows(train, Tame, 0, shift, scale));
  PetscCall(CheckRows(val, Tame, n_train, shift, scale));
  CHECK(blp->scale && !blp->shift == (kind == DATASET_SCALE_UNIT), "the problem has not kept the scaling");
  PetscCall(CheckVec(blp->scale, scale, scale, 1e-14, "the problem's scale"));
  PetscCall(BLPDestroy(&blp));
  PetscCall(DataSetDestroy(&train));
  PetscCall(DataSetDestroy(&val));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(None());
  PetscCall(Scale(Entry, DATASET_SCALE_UNIT));
  PetscCall(Scale(Tame, DATASET_SCALE_UNIT));
  PetscCall(Scale(Tame, DATASET_SCALE_STANDARD));
  PetscCall(Refuse(Entry, DATASET_SCALE_STANDARD, 5));
  PetscCall(Refuse(Huge, DATASET_SCALE_STANDARD, 6));
  PetscCall(Refuse(Tiny, DATASET_SCALE_UNIT, 6));
  PetscCall(TooLarge());
  PetscCall(WrongSize());
  PetscCall(Problem(DATASET_SCALE_UNIT));
  PetscCall(Problem(DATASET_SCALE_STANDARD));
  PetscCall(TestFinalize());
  return 0;
}
