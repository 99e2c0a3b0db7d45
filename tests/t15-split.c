/* Splits: keyed by (seed, global index) alone, disjoint, complete and in order; sets that must agree. */
#include "files.h"

/* n rows dealt evenly, or all on the last rank; row i holds i + 1 in feature i mod p and has class i mod c.
 */
static PetscErrorCode Numbered(PetscInt n, PetscInt p, PetscInt c, PetscBool last, DataSet *ds)
{
  PetscMPIInt rank, size;
  PetscInt nlocal = PETSC_DECIDE, first, *rowptr, *col;
  PetscScalar *val;
  PetscReal *label;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(TEST_COMM, &rank));
  PetscCallMPI(MPI_Comm_size(TEST_COMM, &size));
  if (last) nlocal = rank == size - 1 ? n : 0;
  PetscCall(PetscSplitOwnership(TEST_COMM, &nlocal, &n));
  PetscCallMPI(MPI_Scan(&nlocal, &first, 1, MPIU_INT, MPI_SUM, TEST_COMM));
  first -= nlocal;
  PetscCall(PetscMalloc4(nlocal + 1, &rowptr, nlocal, &col, nlocal, &val, nlocal, &label));
  for (PetscInt i = 0; i <= nlocal; i++) rowptr[i] = i;
  for (PetscInt i = 0; i < nlocal; i++) {
    col[i] = (first + i) % p;
    val[i] = (PetscScalar)(first + i + 1);
    label[i] = (PetscReal)((first + i) % c) * 10 - 5;
  }
  PetscCall(DataSetCreate(TEST_COMM, ds));
  PetscCall(DataSetSetRows(*ds, nlocal, rowptr, col, val, label, p, PETSC_FALSE));
  PetscCall(PetscFree4(rowptr, col, val, label));
  PetscFunctionReturn(0);
}

static PetscErrorCode Split(DataSet ds, const char kind[], PetscInt64 seed, PetscBool stratified,
                            DataSet parts[3])
{
  DataSetSplitRule rule = {.seed = seed, .stratified = stratified};

  PetscFunctionBegin;
  parts[0] = parts[1] = parts[2] = NULL;
  PetscCall(PetscStrncpy(rule.kind, kind, sizeof(rule.kind)));
  PetscCall(DataSetSplit(ds, &rule, parts));
  PetscFunctionReturn(0);
}

/* Part of each row as a character: '0', '1', '2', or '-' where no part has it. Checks what a part must keep:
   order, column, class, even distribution. */
static PetscErrorCode Membership(PetscInt n, PetscInt p, PetscInt c, const DataSet parts[3], char member[])
{
  PetscFunctionBegin;
  memset(member, '-', (size_t)n);
  member[n] = 0;
  for (int m = 0; m < 3; m++) {
    char *text;
    int at = 0, read, before = -1;
    double label, value;
    if (!parts[m]) continue;
    PetscCall(DataSetText(parts[m], &text));
    int column;
    while (sscanf(text + at, "%lf %d:%lf%n", &label, &column, &value, &read) == 3) {
      const int row = (int)value - 1;
      CHECK(row > before && row < n, "row %d follows row %d in part %d", row, before, m);
      CHECK(member[row] == '-', "row %d is in parts %c and %d", row, member[row], m);
      CHECK(column == row % p && label == (row % c) * 10 - 5, "row %d has changed: %d:%g, label %g", row,
            column, value, label);
      member[row] = (char)('0' + m);
      before = row;
      at += read;
    }
    PetscCall(PetscFree(text));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode DestroyParts(DataSet parts[3])
{
  PetscFunctionBegin;
  for (int m = 0; m < 3; m++) PetscCall(DataSetDestroy(&parts[m]));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ the same computed serially */

static PetscInt64 key_seed;

static int CompareIndex(const void *a, const void *b)
{
  const uint64_t x = (uint64_t)TwofoldRandomBits(key_seed, *(const PetscInt *)a);
  const uint64_t y = (uint64_t)TwofoldRandomBits(key_seed, *(const PetscInt *)b);
  return (x > y) - (x < y);
}

/* Rows of one class (class < 0: of all), in the order of their keys, cut after size[0], size[0] + size[1],
 * ... */
static void DealSerially(PetscInt n, PetscInt c, PetscInt class, PetscInt64 seed, const PetscInt size[3],
                         char member[])
{
  PetscInt order[256] = {0}, m = 0, at = 0;

  for (PetscInt i = 0; i < n; i++)
    if (class < 0 || i % c == class) order[m++] = i;
  key_seed = seed;
  qsort(order, (size_t)m, sizeof(*order), CompareIndex);
  for (int part = 0; part < 3; part++)
    for (PetscInt i = 0; i < size[part]; i++) member[order[at++]] = (char)('0' + part);
}

static PetscErrorCode ExpectSplit(PetscInt n, const char kind[], PetscInt64 seed, const PetscInt size[3],
                                  PetscBool last)
{
  const PetscInt p = 4, c = 3;
  char member[257], serial[257];
  DataSet ds, parts[3];

  PetscFunctionBegin;
  PetscCall(Numbered(n, p, c, last, &ds));
  PetscCall(Split(ds, kind, seed, PETSC_FALSE, parts));
  PetscCall(Membership(n, p, c, parts, member));
  memset(serial, '-', sizeof(serial));
  serial[n] = 0;
  DealSerially(n, c, -1, seed, size, serial);
  CHECK(!strcmp(member, serial), "split %s of %d, seed %d: %s instead of %s", kind, (int)n, (int)seed, member,
        serial);
  for (int m = 0; m < 3; m++) {
    PetscInt rows = 0, features;
    if (parts[m]) PetscCall(DataSetGetSizes(parts[m], &rows, &features, NULL));
    CHECK(rows == size[m], "part %d has %d rows instead of %d", m, (int)rows, (int)size[m]);
    CHECK(!parts[m] || features == p, "part %d has %d features", m, (int)features);
    CHECK(!parts[m] == !size[m], "part %d should not be there", m);
  }
  PetscCall(DestroyParts(parts));
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(0);
}

static PetscErrorCode Fractions(void)
{
  PetscFunctionBegin;
  for (int last = 0; last < 2; last++) {
    for (PetscInt64 seed = -1; seed < 4; seed++)
      PetscCall(ExpectSplit(100, "third", seed, (PetscInt[]){33, 33, 33}, (PetscBool)last));
    PetscCall(ExpectSplit(3, "third", 0, (PetscInt[]){1, 1, 1}, (PetscBool)last));
    PetscCall(ExpectSplit(5, "third", 0, (PetscInt[]){1, 1, 1}, (PetscBool)last));
    PetscCall(ExpectSplit(100, "0.6,0.2,0.2", 7, (PetscInt[]){60, 20, 20}, (PetscBool)last));
    PetscCall(ExpectSplit(10, "0.1,0.2,0.7", 7, (PetscInt[]){1, 2, 7}, (PetscBool)last));
    PetscCall(ExpectSplit(7, "0.5,0.5", 7, (PetscInt[]){3, 4, 0}, (PetscBool)last));
    PetscCall(ExpectSplit(100, "0.5,0.3", 7, (PetscInt[]){50, 30, 0}, (PetscBool)last));
    PetscCall(ExpectSplit(20, "1", 7, (PetscInt[]){20, 0, 0}, (PetscBool)last));
    PetscCall(ExpectSplit(20, "0.05", 7, (PetscInt[]){1, 0, 0}, (PetscBool)last));
  }
  PetscFunctionReturn(0);
}

/* Made once, by another program: a change of the generator or of the rule would change every published split.
 */
static PetscErrorCode Literals(void)
{
  const struct {
    PetscInt64 seed;
    const char *kind, *member;
  } expected[] = {
      {0, "third", "012122020011001102220211"},
      {1, "third", "212020210001202112210101"},
      {123456789, "0.5,0.25,0.25", "100220100110000211220020"},
  };
  char member[25];
  DataSet ds, parts[3];

  PetscFunctionBegin;
  PetscCall(Numbered(24, 5, 2, PETSC_FALSE, &ds));
  for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
    PetscCall(Split(ds, expected[i].kind, expected[i].seed, PETSC_FALSE, parts));
    PetscCall(Membership(24, 5, 2, parts, member));
    CHECK(!strcmp(member, expected[i].member), "seed %d: %s instead of %s", (int)expected[i].seed, member,
          expected[i].member);
    PetscCall(DestroyParts(parts));
  }
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(0);
}

/* Each class by itself, in its own order of keys. */
static PetscErrorCode Stratified(void)
{
  const PetscInt n = 61, p = 4, c = 3; /* classes of 21, 20, 20 rows */
  const PetscInt thirds[3][3] = {{7, 7, 7}, {6, 6, 6}, {6, 6, 6}};
  const PetscInt halves[3][3] = {{10, 5, 0}, {10, 5, 0}, {10, 5, 0}};
  char member[257], serial[257];
  DataSet ds, parts[3];

  PetscFunctionBegin;
  PetscCall(Numbered(n, p, c, PETSC_FALSE, &ds));
  for (int kind = 0; kind < 2; kind++) {
    memset(serial, '-', sizeof(serial));
    serial[n] = 0;
    for (PetscInt k = 0; k < c; k++) DealSerially(n, c, k, 5, kind ? halves[k] : thirds[k], serial);
    PetscCall(Split(ds, kind ? "0.5,0.25" : "third", 5, PETSC_TRUE, parts));
    PetscCall(Membership(n, p, c, parts, member));
    CHECK(!strcmp(member, serial), "stratified: %s instead of %s", member, serial);
    PetscCall(DestroyParts(parts));
  }
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(0);
}

static PetscErrorCode Refuse(PetscInt n, const char kind[], PetscErrorCode code, const char says[])
{
  DataSet ds, parts[3];

  PetscFunctionBegin;
  PetscCall(Numbered(n, 4, 2, PETSC_FALSE, &ds));
  CHECK_SAYS(code, says, Split(ds, kind, 0, PETSC_FALSE, parts));
  PetscCall(DestroyParts(parts));
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(0);
}

static PetscErrorCode Refusals(void)
{
  const char *const bad[] = {"",  "thirds",  "0.5,x", "0.5;0.5",         "-0.1,0.5", "0,1",
                             "2", "0.7,0.6", "0.5,",  "0.2,0.2,0.2,0.2", "nan",      "third,0.5"};

  PetscFunctionBegin;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    PetscCall(Refuse(12, bad[i], PETSC_ERR_ARG_OUTOFRANGE, "-blp_split"));
  PetscCall(Refuse(12, "bydate", PETSC_ERR_ARG_WRONG, "not a corpus"));
  PetscCall(Refuse(2, "third", PETSC_ERR_FILE_UNEXPECTED, "2 samples are too few"));
  PetscCall(Refuse(3, "0.5,0.1,0.4", PETSC_ERR_FILE_UNEXPECTED, "3 samples are too few"));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ sets that agree */

/* Two rows on rank 0 with labels a and b, in p features. */
static PetscErrorCode Pair(PetscReal a, PetscReal b, PetscInt p, PetscBool fixed, DataSet *ds)
{
  const PetscInt rowptr[] = {0, 1, 2}, col[] = {0, p - 1};
  const PetscScalar val[] = {1, 2};
  const PetscReal label[] = {a, b};
  PetscMPIInt rank;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(TEST_COMM, &rank));
  PetscCall(DataSetCreate(TEST_COMM, ds));
  PetscCall(DataSetSetRows(*ds, rank ? 0 : 2, rowptr, col, val, label, p, fixed));
  PetscFunctionReturn(0);
}

/* One training and one validation set must be refused with this message, or (NULL) agree on p features. */
static PetscErrorCode Agree(const PetscReal label[4], const PetscInt p[2], const PetscBool fixed[2],
                            const char says[])
{
  DataSet set[3] = {NULL, NULL, NULL};

  PetscFunctionBegin;
  for (int s = 0; s < 2; s++) PetscCall(Pair(label[2 * s], label[2 * s + 1], p[s], fixed[s], &set[s]));
  if (says) {
    CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, says, DataSetAgree(3, set));
  } else {
    PetscCall(DataSetAgree(3, set));
    for (int s = 0; s < 2; s++) {
      PetscInt features, classes;
      PetscCall(DataSetGetSizes(set[s], NULL, &features, &classes));
      CHECK(features == PetscMax(p[0], p[1]) && classes == 2, "set %d: %d features, %d classes", s,
            (int)features, (int)classes);
    }
  }
  for (int s = 0; s < 2; s++) PetscCall(DataSetDestroy(&set[s]));
  PetscFunctionReturn(0);
}

static PetscErrorCode Agreement(void)
{
  const PetscBool none[] = {PETSC_FALSE, PETSC_FALSE}, both[] = {PETSC_TRUE, PETSC_TRUE},
                  train[] = {PETSC_TRUE, PETSC_FALSE};
  const PetscReal same[] = {3, 7, 7, 3}, one[] = {3, 7, 7, 7}, other[] = {3, 7, 3, 8},
                  single[] = {3, 3, 3, 3};

  PetscFunctionBegin;
  PetscCall(Agree(same, (PetscInt[]){4, 4}, both, NULL));
  PetscCall(Agree(one, (PetscInt[]){4, 4}, none, NULL));
  PetscCall(Agree(same, (PetscInt[]){4, 2}, none, NULL));
  PetscCall(Agree(same, (PetscInt[]){2, 4}, none, NULL));
  PetscCall(Agree(same, (PetscInt[]){4, 2}, train, NULL));
  PetscCall(Agree(same, (PetscInt[]){4, 2}, both, "need the same features"));
  PetscCall(Agree(same, (PetscInt[]){2, 4}, train, "need the same features"));
  PetscCall(Agree(other, (PetscInt[]){4, 4}, none, "label 8"));
  PetscCall(Agree(single, (PetscInt[]){4, 4}, none, "at least two are needed"));
  PetscFunctionReturn(0);
}

/* A set without label 3 must still call label 7 by the training set's number. */
static PetscErrorCode Relabelled(void)
{
  DataSet set[2];
  const PetscReal *value;
  const PetscInt *label;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(Pair(3, 7, 4, PETSC_FALSE, &set[0]));
  PetscCall(Pair(7, 7, 4, PETSC_FALSE, &set[1]));
  PetscCall(DataSetAgree(2, set));
  PetscCall(DataSetGetRows(set[1], &n, NULL, NULL, NULL, &label));
  PetscCall(DataSetGetClasses(set[1], &value, NULL));
  CHECK(value[0] == 3 && value[1] == 7, "classes %g and %g", value[0], value[1]);
  CHECK(n == 0 || (label[0] == 1 && label[1] == 1), "labels %d and %d", (int)label[0], (int)label[1]);
  for (int s = 0; s < 2; s++) PetscCall(DataSetDestroy(&set[s]));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ folds */

/* The fold of each row, on every rank, after rows were dealt in two ways. */
static PetscErrorCode FoldsOf(PetscInt n, PetscInt c, PetscInt F, PetscInt64 seed, PetscBool stratified,
                              PetscBool last, PetscInt all[])
{
  PetscInt nlocal, first, *fold;
  DataSet ds;

  PetscFunctionBegin;
  PetscCall(Numbered(n, 4, c, last, &ds));
  PetscCall(DataSetGetRows(ds, &nlocal, NULL, NULL, NULL, NULL));
  PetscCallMPI(MPI_Scan(&nlocal, &first, 1, MPIU_INT, MPI_SUM, PetscObjectComm((PetscObject)ds)));
  PetscCall(PetscMalloc1(nlocal + 1, &fold));
  PetscCall(DataSetFold(ds, F, seed, stratified, fold));
  for (PetscInt i = 0; i < n; i++) all[i] = -1;
  for (PetscInt i = 0; i < nlocal; i++) all[first - nlocal + i] = fold[i];
  PetscCall(
      MPIU_Allreduce(MPI_IN_PLACE, all, (PetscMPIInt)n, MPIU_INT, MPI_MAX, PetscObjectComm((PetscObject)ds)));
  PetscCall(PetscFree(fold));
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(0);
}

/* Rows in the order of (class, key); the folds of a class follow each other in it, and begin where those of
   the class before it ended. */
static void FoldSerially(PetscInt n, PetscInt c, PetscInt F, PetscInt64 seed, PetscBool stratified,
                         PetscInt all[])
{
  PetscInt before = 0;

  key_seed = seed;
  for (PetscInt class = 0; class < (stratified ? c : 1); class ++) {
    PetscInt order[256] = {0}, m = 0, at = 0;
    for (PetscInt i = 0; i < n; i++)
      if (!stratified || i % c == class) order[m++] = i;
    qsort(order, (size_t)m, sizeof(*order), CompareIndex);
    for (PetscInt k = 0; k < F; k++)
      for (PetscInt i = 0; i < m; i++)
        if ((before + i) % F == k) all[order[at++]] = k;
    before += m;
  }
}

static PetscErrorCode ExpectFolds(PetscInt n, PetscInt c, PetscInt F, PetscInt64 seed, PetscBool stratified)
{
  PetscInt serial[256], size[256] = {0}, in_class[256][8] = {{0}};

  PetscFunctionBegin;
  FoldSerially(n, c, F, seed, stratified, serial);
  for (int last = 0; last < 2; last++) {
    PetscInt all[256];
    PetscCall(FoldsOf(n, c, F, seed, stratified, (PetscBool)last, all));
    for (PetscInt i = 0; i < n; i++)
      CHECK(all[i] == serial[i], "row %d of %d is in fold %d of %d, not in %d", (int)i, (int)n, (int)all[i],
            (int)F, (int)serial[i]);
  }
  for (PetscInt i = 0; i < n; i++) {
    size[serial[i]]++;
    in_class[serial[i]][i % c]++;
  }
  for (PetscInt k = 0; k < F; k++) {
    CHECK(size[k] == n / F || size[k] == (n + F - 1) / F, "fold %d of %d has %d of %d rows", (int)k, (int)F,
          (int)size[k], (int)n);
    for (PetscInt j = 0; j < c && stratified; j++) {
      const PetscInt rows = n / c + (n % c > j), has = in_class[k][j];
      CHECK(has == rows / F || has == (rows + F - 1) / F, "fold %d has %d of %d rows of class %d", (int)k,
            (int)has, (int)rows, (int)j);
    }
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Folds(void)
{
  const PetscInt sizes[] = {2, 9, 31, 100, 203}, counts[] = {2, 3, 5, 7};
  PetscInt fold[2];
  DataSet ds;

  PetscFunctionBegin;
  for (int s = 0; s < 5; s++)
    for (int k = 0; k < 4; k++)
      for (int stratified = 0; stratified < 2; stratified++)
        if (counts[k] <= sizes[s])
          PetscCall(ExpectFolds(sizes[s], PetscMin(sizes[s], 4), counts[k], 11 + k, (PetscBool)stratified));
  PetscCall(Numbered(2, 1, 2, PETSC_FALSE, &ds));
  CHECK_SAYS(PETSC_ERR_ARG_OUTOFRANGE, "-blp_folds 3: the data set has 2 samples",
             DataSetFold(ds, 3, 1, PETSC_FALSE, fold));
  CHECK_SAYS(PETSC_ERR_ARG_OUTOFRANGE, "at least two folds", DataSetFold(ds, 1, 1, PETSC_FALSE, fold));
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(Fractions());
  PetscCall(Literals());
  PetscCall(Stratified());
  PetscCall(Folds());
  PetscCall(Refusals());
  PetscCall(Agreement());
  PetscCall(Relabelled());
  PetscCall(TestFinalize());
  return 0;
}
