/* Text that is made: the same on any number of ranks, and by its laws: of Zipf, of lengths and of classes. */
#include "files.h"

static const DataSetSyntheticTextRule small = {
    .n = 23, .p = 41, .c = 3, .length = 9, .zipf = 1, .topic = 0.3, .seed = 7};

/* Made on all ranks and on one alone: bit for bit the same, as the text shows, which has all digits. */
static PetscErrorCode SameOnAllRanks(const DataSetSyntheticTextRule *rule, PetscInt part)
{
  char *all, *own;
  DataSet ds, alone;
  PetscInt n, p, c;

  PetscFunctionBegin;
  PetscCall(DataSetCreateSyntheticText(TEST_COMM, rule, part, &ds));
  PetscCall(DataSetCreateSyntheticText(PETSC_COMM_SELF, rule, part, &alone));
  PetscCall(DataSetGetSizes(ds, &n, &p, &c));
  CHECK(n == rule->n && p == rule->p, "%d documents of %d features", (int)n, (int)p);
  CHECK(c == PetscMin(rule->c, n), "%d classes", (int)c);
  PetscCall(DataSetText(ds, &all));
  PetscCall(DataSetText(alone, &own));
  CHECK(!strcmp(all, own), "text depends on the number of ranks");
  PetscCall(PetscFree(all));
  PetscCall(PetscFree(own));
  PetscCall(DataSetDestroy(&ds));
  PetscCall(DataSetDestroy(&alone));
  PetscFunctionReturn(0);
}

/* One document, one word, one class; more ranks than documents. */
static PetscErrorCode Smallest(void)
{
  DataSetSyntheticTextRule rule = small;

  PetscFunctionBegin;
  PetscCall(SameOnAllRanks(&rule, 0));
  PetscCall(SameOnAllRanks(&rule, 2));
  rule.n = rule.c = 1;
  PetscCall(SameOnAllRanks(&rule, 1));
  rule.p = 1;
  PetscCall(SameOnAllRanks(&rule, 0));
  rule.n = 2;
  rule.c = 5;
  PetscCall(SameOnAllRanks(&rule, 0));
  PetscFunctionReturn(0);
}

/* A set on this rank alone. */
typedef struct {
  DataSet ds;
  const PetscInt *start, *col, *label;
  const PetscScalar *x;
} Rows;

static PetscErrorCode RowsCreate(const DataSetSyntheticTextRule *rule, PetscInt part, Rows *r)
{
  PetscFunctionBegin;
  PetscCall(DataSetCreateSyntheticText(PETSC_COMM_SELF, rule, part, &r->ds));
  PetscCall(DataSetGetRows(r->ds, NULL, &r->start, &r->col, &r->x, &r->label));
  PetscFunctionReturn(0);
}

/* How often each word is in a document, which the row tells where one of its words stands there once; the
   number of all. */
static PetscReal AddTimes(const Rows *r, PetscInt i, PetscReal times[])
{
  PetscReal once = 1, words = 0;

  for (PetscInt k = r->start[i]; k < r->start[i + 1]; k++) once = PetscMin(once, PetscRealPart(r->x[k]));
  for (PetscInt k = r->start[i]; k < r->start[i + 1]; k++) {
    times[r->col[k]] += PetscFloorReal(PetscRealPart(r->x[k]) / once + 0.5);
    words += PetscFloorReal(PetscRealPart(r->x[k]) / once + 0.5);
  }
  return words;
}

static int Decreasing(const void *a, const void *b)
{
  const PetscReal x = *(const PetscReal *)a, y = *(const PetscReal *)b;
  return (x < y) - (x > y);
}

/* Times of the r-th frequent of p words among `words`: of the first ten, within five deviations of the law;
   of all up to the 200th, the slope of their logarithms. */
static PetscErrorCode CheckZipf(PetscReal s, PetscInt p, PetscReal words, PetscReal times[])
{
  PetscReal sum = 0, xx = 0, xy = 0, mx = 0, my = 0;
  const PetscInt top = 200;

  PetscFunctionBegin;
  qsort(times, (size_t)p, sizeof(*times), Decreasing);
  for (PetscInt r = 1; r <= p; r++) sum += PetscPowReal(r, -s);
  for (PetscInt r = 1; r <= 10; r++) {
    const PetscReal expected = words * PetscPowReal(r, -s) / sum;
    CHECK(PetscAbsReal(times[r - 1] - expected) <= 5 * PetscSqrtReal(expected),
          "exponent %g: the word of rank %d stands %g times, not %g", s, (int)r, times[r - 1], expected);
  }
  for (PetscInt r = 1; r <= top; r++) {
    mx += PetscLogReal(r) / top;
    my += PetscLogReal(times[r - 1]) / top;
  }
  for (PetscInt r = 1; r <= top; r++) {
    xx += PetscSqr(PetscLogReal(r) - mx);
    xy += (PetscLogReal(r) - mx) * (PetscLogReal(times[r - 1]) - my);
  }
  CHECK(PetscAbsReal(xy / xx + s) <= 0.02, "exponent %g: slope %g", s, xy / xx);
  PetscFunctionReturn(0);
}

/* |norm^2 - 1| in units of its rounding; huge where the columns do not increase or are not in [0, p). */
static PetscReal RowError(const Rows *r, PetscInt i, PetscInt p)
{
  PetscReal norm = 0;

  for (PetscInt k = r->start[i]; k < r->start[i + 1]; k++) {
    if (r->col[k] < 0 || r->col[k] >= p || (k > r->start[i] && r->col[k] <= r->col[k - 1])) return 1e300;
    norm += PetscSqr(PetscRealPart(r->x[k]));
  }
  return PetscAbsReal(norm - 1) / ((r->start[i + 1] - r->start[i]) * PETSC_MACHINE_EPSILON);
}

/* Rows are of norm 1; lengths are lognormal with this mean; words follow the law. */
static PetscErrorCode Laws(PetscReal zipf)
{
  const DataSetSyntheticTextRule rule = {
      .n = 4000, .p = 3000, .c = 1, .length = 100, .zipf = zipf, .topic = 0, .seed = 5};
  PetscReal *times, words = 0, logs = 0, logs2 = 0, worst = 0;
  Rows r;

  PetscFunctionBegin;
  PetscCall(RowsCreate(&rule, 0, &r));
  PetscCall(PetscCalloc1(rule.p, &times));
  for (PetscInt i = 0; i < rule.n; i++) {
    const PetscReal length = AddTimes(&r, i, times);
    worst = PetscMax(worst, RowError(&r, i, rule.p));
    words += length;
    logs += PetscLogReal(length) / rule.n;
    logs2 += PetscSqr(PetscLogReal(length)) / rule.n;
  }
  CHECK(worst <= 4, "a row's columns are bad or its norm is not 1: error %g", worst);
  /* the deviation of a length is 1.31 times its mean */
  CHECK(PetscAbsReal(words / rule.n / rule.length - 1) <= 5 * 1.31 / PetscSqrtReal(rule.n), "mean length %g",
        words / rule.n);
  CHECK(PetscAbsReal(logs2 - PetscSqr(logs) - 1) <= 0.12, "variance of the logarithm of lengths: %g",
        logs2 - PetscSqr(logs));
  PetscCall(CheckZipf(zipf, rule.p, words, times));
  PetscCall(PetscFree(times));
  PetscCall(DataSetDestroy(&r.ds));
  PetscFunctionReturn(0);
}

/* The share of validation documents that have the largest product with the mean document of their own class.
 */
static PetscErrorCode Learn(PetscReal topic, PetscReal *right)
{
  const DataSetSyntheticTextRule rule = {
      .n = 1500, .p = 2000, .c = 5, .length = 60, .zipf = 1, .topic = topic, .seed = 3};
  const PetscInt c = rule.c;
  PetscInt wrong = 0;
  PetscReal *mean;
  Rows train, val;

  PetscFunctionBegin;
  PetscCall(RowsCreate(&rule, 0, &train));
  PetscCall(RowsCreate(&rule, 1, &val));
  PetscCall(PetscCalloc1(c * rule.p, &mean));
  for (PetscInt i = 0; i < rule.n; i++) {
    wrong += train.label[i] != i % c;
    for (PetscInt k = train.start[i]; k < train.start[i + 1]; k++)
      mean[c * train.col[k] + train.label[i]] += train.x[k];
  }
  CHECK(!wrong, "%d documents are not of class i mod c", (int)wrong);
  *right = 0;
  for (PetscInt i = 0; i < rule.n; i++) {
    PetscReal z[5] = {0, 0, 0, 0, 0};
    PetscInt best = 0;
    for (PetscInt k = val.start[i]; k < val.start[i + 1]; k++)
      for (PetscInt m = 0; m < c; m++) z[m] += val.x[k] * mean[c * val.col[k] + m];
    for (PetscInt m = 1; m < c; m++) best = z[m] > z[best] ? m : best;
    *right += (PetscReal)(best == val.label[i]) / rule.n;
  }
  PetscCall(PetscFree(mean));
  PetscCall(DataSetDestroy(&train.ds));
  PetscCall(DataSetDestroy(&val.ds));
  PetscFunctionReturn(0);
}

/* Classes can be told by the words they prefer, and cannot where they prefer none: five deviations about 1/5.
 */
static PetscErrorCode Classes(void)
{
  PetscReal right;

  PetscFunctionBegin;
  PetscCall(Learn(0.2, &right));
  CHECK(right > 0.7, "of documents with a topic, %g %% are told right", 100 * right);
  PetscCall(Learn(0, &right));
  CHECK(PetscAbsReal(right - 0.2) <= 0.052, "of documents without a topic, %g %% are told right",
        100 * right);
  PetscFunctionReturn(0);
}

/* Words that two rows have in common. */
static PetscInt Common(const Rows *a, PetscInt i, const Rows *b, PetscInt j)
{
  PetscInt k = a->start[i], m = b->start[j], common = 0;

  while (k < a->start[i + 1] && m < b->start[j + 1]) {
    common += a->col[k] == b->col[m];
    if (a->col[k] < b->col[m])
      k++;
    else
      m++;
  }
  return common;
}

/* Documents of another seed, another part or another index have other words: of 50 in a million that are
   equally frequent, one in 20 documents by chance. */
static PetscErrorCode Keys(void)
{
  DataSetSyntheticTextRule rule = {.n = 20, .p = 1000000, .c = 2, .length = 50, .topic = 0.5, .seed = 3};
  PetscInt parts = 0, seeds = 0, documents = 0;
  Rows r[3];

  PetscFunctionBegin;
  PetscCall(RowsCreate(&rule, 0, &r[0]));
  PetscCall(RowsCreate(&rule, 1, &r[1]));
  rule.seed = 4;
  PetscCall(RowsCreate(&rule, 0, &r[2]));
  for (PetscInt i = 0; i < rule.n; i++) {
    parts += Common(&r[0], i, &r[1], i);
    seeds += Common(&r[0], i, &r[2], i);
    documents += Common(&r[0], i, &r[0], (i + 1) % rule.n);
  }
  CHECK(parts <= 3, "two parts have %d words in common", (int)parts);
  CHECK(seeds <= 3, "two seeds have %d words in common", (int)seeds);
  CHECK(documents <= 3, "documents have %d words in common with the next", (int)documents);
  for (int k = 0; k < 3; k++) PetscCall(DataSetDestroy(&r[k].ds));
  PetscFunctionReturn(0);
}

static PetscErrorCode Refusals(void)
{
  const struct {
    DataSetSyntheticTextRule rule;
    const char *says;
  } bad[] = {
      {{.n = 0, .p = 9, .c = 2, .length = 9}, "0 documents"},
      {{.n = 9, .p = 0, .c = 2, .length = 9}, "0 features"},
      {{.n = 9, .p = 9, .c = 0, .length = 9}, "0 classes"},
      {{.n = 9, .p = 9, .c = 2, .length = 0.5}, "-blp_synthetic_length 0.5"},
      {{.n = 9, .p = 9, .c = 2, .length = 9, .zipf = -1}, "-blp_synthetic_zipf -1"},
      {{.n = 9, .p = 9, .c = 2, .length = 9, .topic = 1.5}, "-blp_synthetic_topic 1.5"},
  };
  DataSet ds;

  PetscFunctionBegin;
  for (size_t k = 0; k < sizeof(bad) / sizeof(*bad); k++)
    CHECK_SAYS(PETSC_ERR_ARG_OUTOFRANGE, bad[k].says,
               DataSetCreateSyntheticText(TEST_COMM, &bad[k].rule, 0, &ds));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(Smallest());
  PetscCall(Laws(1));
  PetscCall(Laws(0.8));
  PetscCall(Laws(1.3));
  PetscCall(Classes());
  PetscCall(Keys());
  PetscCall(Refusals());
  PetscCall(TestFinalize());
  return 0;
}
