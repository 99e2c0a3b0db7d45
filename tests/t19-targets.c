/* Labels that are targets: real numbers through readers, writers, splits and feature matrices; and synthetic
   samples. */
#include "files.h"

static const char text[] = "0.25 1:0.5 3:2\n-2 2:0.125\n0.25\n0.0009765625 1:-1 2:4 3:3\n3.125 2:0.125\n";
static const char zero_based[] =
    "0.25 0:0.5 2:2\n-2 1:0.125\n0.25\n0.0009765625 0:-1 1:4 2:3\n3.125 1:0.125\n";

static PetscErrorCode LoadTargets(const char path[], DataSet *ds)
{
  PetscFunctionBegin;
  PetscCall(DataSetCreate(TEST_COMM, ds));
  PetscCall(DataSetSetTargets(*ds, PETSC_TRUE));
  PetscCall(DataSetLoad(*ds, path));
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckText(DataSet ds, const char what[], const char expected[])
{
  char *got;

  PetscFunctionBegin;
  PetscCall(DataSetText(ds, &got));
  CHECK(!strcmp(got, expected), "%s: '%s' instead of '%s'", what, got, expected);
  PetscCall(PetscFree(got));
  PetscFunctionReturn(0);
}

/* svmlight -> targets -> each format -> targets: the same numbers; classes become targets and come back. */
static PetscErrorCode Formats(const char folder[])
{
  const char *const names[] = {"b.svm", "b.bin", "b.h5"};
  char path[PETSC_MAX_PATH_LEN], other[PETSC_MAX_PATH_LEN];
  const PetscReal *target;
  PetscInt c;
  DataSet ds, back;

  PetscFunctionBegin;
  PetscCall(TextWrite(folder, "a.svm", text, path));
  PetscCall(LoadTargets(path, &ds));
  PetscCall(DataSetGetSizes(ds, NULL, NULL, &c));
  CHECK(c == 0, "%d classes of targets", (int)c);
  PetscCall(CheckText(ds, "svmlight", zero_based));
  for (int i = 0; i < 3; i++) {
    PetscCall(PetscSNPrintf(other, sizeof(other), "%s/%s", folder, names[i]));
    PetscCall(DataSetWrite(ds, other));
    PetscCallMPI(MPI_Barrier(TEST_COMM));
    PetscCall(LoadTargets(other, &back));
    PetscCall(CheckText(back, names[i], zero_based));
    PetscCall(DataSetDestroy(&back));
  }
  PetscCall(DataSetSetTargets(ds, PETSC_FALSE));
  PetscCall(DataSetGetSizes(ds, NULL, NULL, &c));
  PetscCall(DataSetGetTargets(ds, &target));
  CHECK(c == 4 && !target, "targets became %d classes", (int)c);
  PetscCall(CheckText(ds, "classes", zero_based));
  PetscCall(DataSetSetTargets(ds, PETSC_TRUE));
  PetscCall(CheckText(ds, "classes made targets", zero_based));
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(0);
}

/* Names are no targets, whichever way they come. */
static PetscErrorCode Names(const char folder[])
{
  const char table[] = "x,species\n1,setosa\n2,virginica\n3,setosa\n";
  const char numbers[] = "x,y\n1,0.5\n2,-3\n3,7\n";
  char path[PETSC_MAX_PATH_LEN];
  DataSet ds;

  PetscFunctionBegin;
  PetscCall(TextWrite(folder, "named.csv", table, path));
  PetscCall(DataSetCreate(TEST_COMM, &ds));
  PetscCall(DataSetLoad(ds, path));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "named.csv are names", DataSetSetTargets(ds, PETSC_TRUE));
  PetscCall(DataSetDestroy(&ds));
  PetscCall(DataSetCreate(TEST_COMM, &ds));
  PetscCall(DataSetSetTargets(ds, PETSC_TRUE));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "named.csv are names", DataSetLoad(ds, path));
  PetscCall(DataSetDestroy(&ds));
  PetscCall(TextWrite(folder, "numbers.csv", numbers, path));
  PetscCall(LoadTargets(path, &ds));
  PetscCall(CheckText(ds, "csv", "0.5 0:1\n-3 0:2\n7 0:3\n"));
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(0);
}

/* A set of n samples with the target i + 1/2 and the feature i. */
static PetscErrorCode Counting(PetscInt n, DataSet *ds)
{
  PetscInt nlocal = PETSC_DECIDE, first, *rowptr, *col;
  PetscScalar *val;
  PetscReal *y;

  PetscFunctionBegin;
  PetscCall(PetscSplitOwnership(TEST_COMM, &nlocal, &n));
  PetscCallMPI(MPI_Scan(&nlocal, &first, 1, MPIU_INT, MPI_SUM, TEST_COMM));
  first -= nlocal;
  PetscCall(PetscCalloc4(nlocal + 1, &rowptr, nlocal, &col, nlocal, &val, nlocal, &y));
  for (PetscInt i = 0; i < nlocal; i++) {
    rowptr[i + 1] = i + 1;
    val[i] = first + i;
    y[i] = first + i + 0.5;
  }
  PetscCall(DataSetCreate(TEST_COMM, ds));
  PetscCall(DataSetSetTargets(*ds, PETSC_TRUE));
  PetscCall(DataSetSetRows(*ds, nlocal, rowptr, col, val, y, 1, PETSC_TRUE));
  PetscCall(PetscFree4(rowptr, col, val, y));
  PetscFunctionReturn(0);
}

/* Targets keep to their samples: in splits, folds and feature matrices, also where there are more than
   classes could be. */
static PetscErrorCode Parts(void)
{
  const DataSetSplitRule rule = {.kind = "0.5,0.3,0.2", .seed = 3};
  const DataSetSplitRule stratified = {.kind = "third", .stratified = PETSC_TRUE};
  const PetscInt n = 70000;
  PetscInt total = 0, size, *fold, nlocal;
  DataSet all, parts[3];
  FeatureMat X;
  Vec one, z;

  PetscFunctionBegin;
  PetscCall(Counting(n, &all));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "65536", DataSetSetTargets(all, PETSC_FALSE));
  PetscCall(DataSetDestroy(&all));
  PetscCall(Counting(n, &all));
  CHECK_SAYS(PETSC_ERR_ARG_INCOMP, "-blp_stratified", DataSetSplit(all, &stratified, parts));
  PetscCall(DataSetGetRows(all, &nlocal, NULL, NULL, NULL, NULL));
  PetscCall(PetscMalloc1(nlocal + 1, &fold));
  CHECK_SAYS(PETSC_ERR_ARG_INCOMP, "-blp_stratified", DataSetFold(all, 4, 1, PETSC_TRUE, fold));
  PetscCall(DataSetFold(all, 4, 1, PETSC_FALSE, fold));
  PetscCall(PetscFree(fold));
  PetscCall(DataSetSplit(all, &rule, parts));
  PetscCall(DataSetAgree(3, parts));
  for (int m = 0; m < 3; m++) {
    const PetscReal *target;
    const PetscScalar *x;
    const PetscInt *label;
    PetscInt bad = 0;
    PetscCall(DataSetGetSizes(parts[m], &size, NULL, NULL));
    total += size;
    PetscCall(FeatureMatCreate(TEST_COMM, &X));
    PetscCall(FeatureMatSetType(X, FEATUREMATREFERENCE));
    PetscCall(FeatureMatSetData(X, parts[m], 1, PETSC_FALSE));
    PetscCall(FeatureMatGetTargets(X, &nlocal, &target));
    PetscCall(FeatureMatGetLabels(X, NULL, &label));
    PetscCall(FeatureMatCreateVecs(X, &one, &z));
    PetscCall(VecSet(one, 1));
    PetscCall(FeatureMatMult(X, one, z));
    PetscCall(VecGetArrayRead(z, &x));
    for (PetscInt i = 0; i < nlocal; i++) bad += target[i] != PetscRealPart(x[i]) + 0.5;
    PetscCall(VecRestoreArrayRead(z, &x));
    CHECK(!bad && !label, "part %d: %d samples have another's target", m, (int)bad);
    PetscCall(VecDestroy(&one));
    PetscCall(VecDestroy(&z));
    PetscCall(FeatureMatDestroy(&X));
    PetscCall(DataSetDestroy(&parts[m]));
  }
  CHECK(total == n, "parts of %d samples", (int)total);
  PetscCall(DataSetDestroy(&all));
  PetscFunctionReturn(0);
}

/* The largest ||x_i||: 5, or with a bias sqrt(26). */
static PetscErrorCode RowNorm(const char folder[])
{
  char path[PETSC_MAX_PATH_LEN];
  PetscReal norm;
  FeatureMat X;
  DataSet ds;

  PetscFunctionBegin;
  PetscCall(TextWrite(folder, "rows.svm", "1 1:1\n2\n0.5 1:3 2:-4\n1 2:4.5\n", path));
  PetscCall(LoadTargets(path, &ds));
  PetscCall(FeatureMatCreate(TEST_COMM, &X));
  PetscCall(FeatureMatSetType(X, FEATUREMATREFERENCE));
  for (int bias = 0; bias < 2; bias++) {
    PetscCall(FeatureMatSetData(X, ds, 1, (PetscBool)bias));
    PetscCall(FeatureMatGetRowNorm(X, &norm));
    CHECK_CLOSE(norm, PetscSqrtReal(25 + bias), 1e-15, "largest norm of a row");
  }
  PetscCall(FeatureMatDestroy(&X));
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ synthetic samples */

/* Distributed samples are, bit by bit, those that each rank makes for itself. */
static PetscErrorCode SameOnAllRanks(const DataSetSyntheticRule *rule, PetscInt part)
{
  char *all, *own;
  PetscInt n, p, c;
  DataSet ds, alone;

  PetscFunctionBegin;
  PetscCall(DataSetCreateSynthetic(TEST_COMM, rule, part, &ds));
  PetscCall(DataSetCreateSynthetic(PETSC_COMM_SELF, rule, part, &alone));
  PetscCall(DataSetGetSizes(ds, &n, &p, &c));
  CHECK(n == rule->n && p == rule->p, "%d samples of %d features", (int)n, (int)p);
  CHECK((c == 0) == (rule->kind == DATASET_SYNTHETIC_REGRESSION), "%d classes", (int)c);
  PetscCall(DataSetText(ds, &all));
  PetscCall(DataSetText(alone, &own));
  CHECK(!strcmp(all, own), "samples depend on the number of ranks");
  PetscCall(PetscFree(all));
  PetscCall(PetscFree(own));
  PetscCall(DataSetDestroy(&ds));
  PetscCall(DataSetDestroy(&alone));
  PetscFunctionReturn(0);
}

/* Rows, targets and signs of a rule on this rank alone. */
typedef struct {
  DataSet ds;
  const PetscScalar *x;
  const PetscReal *y, *classvalue;
  const PetscInt *label;
} Alone;

static PetscErrorCode AloneCreate(const DataSetSyntheticRule *rule, PetscInt part, Alone *a)
{
  PetscFunctionBegin;
  PetscCall(DataSetCreateSynthetic(PETSC_COMM_SELF, rule, part, &a->ds));
  PetscCall(DataSetGetRows(a->ds, NULL, NULL, NULL, &a->x, &a->label));
  PetscCall(DataSetGetTargets(a->ds, &a->y));
  PetscCall(DataSetGetClasses(a->ds, &a->classvalue, NULL));
  PetscFunctionReturn(0);
}

/* Mean and variance of X and of the noise are those of N(0, 1), within five deviations; parts of a seed share
   w* and nothing else. w*: from two samples of two features, without noise. */
static PetscErrorCode Statistics(void)
{
  DataSetSyntheticRule rule = {.n = 4000, .p = 2, .seed = 5}, noisy, sign;
  Alone quiet[2], loud, signs;

  PetscFunctionBegin;
  noisy = sign = rule;
  noisy.noise = 0.5;
  sign.kind = DATASET_SYNTHETIC_SIGN;
  for (int m = 0; m < 2; m++) PetscCall(AloneCreate(&rule, m, &quiet[m]));
  PetscCall(AloneCreate(&noisy, 0, &loud));
  PetscCall(AloneCreate(&sign, 0, &signs));
  const PetscScalar *const x = quiet[0].x;
  const PetscReal *const y = quiet[0].y, det = x[0] * x[3] - x[1] * x[2];
  const PetscReal w[2] = {(x[3] * y[0] - x[1] * y[1]) / det, (x[0] * y[1] - x[2] * y[0]) / det};
  PetscReal mean = 0, variance = 0, common = 0, noise = 0, noise2 = 0;
  for (PetscInt i = 0; i < rule.n; i++) {
    for (int m = 0; m < 2; m++) {
      const PetscReal fit = w[0] * quiet[m].x[2 * i] + w[1] * quiet[m].x[2 * i + 1];
      CHECK(PetscAbsReal(fit - quiet[m].y[i]) <= 1e-12, "part %d has another w*", m);
    }
    CHECK(loud.x[2 * i] == x[2 * i], "the noise changes X");
    CHECK(signs.classvalue[signs.label[i]] == (y[i] < 0 ? -1 : 1), "sample %d: class %g of %g", (int)i,
          signs.classvalue[signs.label[i]], y[i]);
    noise += (loud.y[i] - y[i]) / 0.5;
    noise2 += PetscSqr((loud.y[i] - y[i]) / 0.5);
    for (int j = 0; j < 2; j++) {
      mean += x[2 * i + j];
      variance += PetscSqr(x[2 * i + j]);
      common += x[2 * i + j] * quiet[1].x[2 * i + j];
    }
  }
  const PetscReal n = rule.n, n2 = 2 * n;
  CHECK(PetscAbsReal(mean / n2) <= 5 / PetscSqrtReal(n2), "mean of X: %g", mean / n2);
  CHECK(PetscAbsReal(variance / n2 - 1) <= 5 * PetscSqrtReal(2 / n2), "variance of X: %g", variance / n2);
  CHECK(PetscAbsReal(common / n2) <= 5 / PetscSqrtReal(n2), "correlation of two parts: %g", common / n2);
  CHECK(PetscAbsReal(noise / n) <= 5 / PetscSqrtReal(n), "mean of the noise: %g", noise / n);
  CHECK(PetscAbsReal(noise2 / n - 1) <= 5 * PetscSqrtReal(2 / n), "variance of the noise: %g", noise2 / n);
  for (int m = 0; m < 2; m++) PetscCall(DataSetDestroy(&quiet[m].ds));
  PetscCall(DataSetDestroy(&loud.ds));
  PetscCall(DataSetDestroy(&signs.ds));
  PetscFunctionReturn(0);
}

static PetscErrorCode Seeds(void)
{
  DataSetSyntheticRule rule = {.n = 3, .p = 3, .seed = 1};
  char *text1, *text2;
  DataSet ds;

  PetscFunctionBegin;
  PetscCall(DataSetCreateSynthetic(TEST_COMM, &rule, 0, &ds));
  PetscCall(DataSetText(ds, &text1));
  PetscCall(DataSetDestroy(&ds));
  rule.seed = 2;
  PetscCall(DataSetCreateSynthetic(TEST_COMM, &rule, 0, &ds));
  PetscCall(DataSetText(ds, &text2));
  PetscCall(DataSetDestroy(&ds));
  CHECK(strcmp(text1, text2), "the seed does not matter");
  PetscCall(PetscFree(text1));
  PetscCall(PetscFree(text2));
  rule.n = 0;
  CHECK_SAYS(PETSC_ERR_ARG_OUTOFRANGE, "0 samples", DataSetCreateSynthetic(TEST_COMM, &rule, 0, &ds));
  rule.n = 3;
  rule.noise = -1;
  CHECK_SAYS(PETSC_ERR_ARG_OUTOFRANGE, "-blp_synthetic_noise -1",
             DataSetCreateSynthetic(TEST_COMM, &rule, 0, &ds));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const DataSetSyntheticRule regression = {.n = 23, .p = 4, .noise = 0.1, .seed = 7};
  DataSetSyntheticRule sign = regression;
  char folder[PETSC_MAX_PATH_LEN];

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(FolderCreate(folder));
  PetscCall(Formats(folder));
  PetscCall(Names(folder));
  PetscCall(RowNorm(folder));
  PetscCall(Parts());
  sign.kind = DATASET_SYNTHETIC_SIGN;
  for (PetscInt part = 0; part < 3; part++) {
    PetscCall(SameOnAllRanks(&regression, part));
    PetscCall(SameOnAllRanks(&sign, part));
  }
  PetscCall(Statistics());
  PetscCall(Seeds());
  PetscCall(FolderRemove(folder));
  PetscCall(TestFinalize());
  return 0;
}
