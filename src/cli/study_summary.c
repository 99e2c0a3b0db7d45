/* The outcome of twofold study in figures: condition numbers, and of each method the error it ends at, the
   rates of its error and of its bounds, and how often a bound was below the error. */
#include <math.h>
#include "study.h"

static const StudyColumn relative_error = {"relative error", offsetof(StudyRow, error), PETSC_TRUE},
                         relative_theorem = {"theorem", offsetof(StudyRow, theorem), PETSC_TRUE},
                         relative_bound = {"bound", offsetof(StudyRow, bound), PETSC_TRUE},
                         relative_estimate = {"estimate", offsetof(StudyRow, estimate), PETSC_TRUE};

/* ------------------------------------------------------------------ figures */

/* The mean relative error that a method ends at. */
static double Floor(const Study *study, const StudyRow row[], PetscInt m)
{
  double least = INFINITY;

  for (PetscInt i = 0; i < study->nat; i++)
    least = fmin(least, StudySummarise(study, row, m, i, relative_error).mean);
  return least;
}

/* What one step multiplies the mean of a column by while the error falls: the slope of its logarithm, by
   least squares, over the t where the mean relative error is between 1e-9 and 1e-1 and above twice its floor.
   NaN with fewer than two such t. */
static double Rate(const Study *study, const StudyRow row[], PetscInt m, StudyColumn column)
{
  const double least = fmax(2 * Floor(study, row, m), 1e-9);
  double count = 0, st = 0, sy = 0, stt = 0, sty = 0;

  for (PetscInt i = 0; i < study->nat; i++) {
    const double t = (double)study->at[i], e = StudySummarise(study, row, m, i, relative_error).mean,
                 y = log(StudySummarise(study, row, m, i, column).mean);
    if (!(e >= least && e <= 1e-1) || !isfinite(y)) continue;
    count++;
    st += t, sy += y, stt += t * t, sty += t * y;
  }
  const double spread = count * stt - st * st;
  return count > 1 && spread > 0 ? exp((count * sty - st * sy) / spread) : NAN;
}

/* How often a bound is there, and how often it is below the error by more than what rounding may make. */
typedef struct {
  int there, below;
} Count;

static Count CountBelow(const Study *study, const StudyRow row[], PetscInt m, StudyColumn column)
{
  Count count = {0, 0};

  column.relative = PETSC_FALSE;
  for (PetscInt i = 0; i < study->samples * study->nat; i++) {
    const StudyRow *const r = &row[(i / study->nat * study->nmethods + m) * study->nat + i % study->nat];
    const double bound = StudyValue(r, column),
                 rounding = 100 * PETSC_MACHINE_EPSILON * fmax(r->L / r->mu, 1) * r->norm;
    if (!isfinite(bound) || !isfinite(r->error)) continue;
    count.there++;
    if (r->error > bound + (isfinite(rounding) ? rounding : 0)) count.below++;
  }
  return count;
}

typedef struct {
  double least, mean, largest; /* NaN where there is none */
} Range;

static Range RangeOf(const Study *study, const StudyRow row[], PetscBool kappa)
{
  Range range = {INFINITY, 0, -INFINITY};
  PetscInt count = 0;

  for (PetscInt i = 0; i < study->samples * study->nmethods * study->nat; i++) {
    const double x = kappa ? row[i].L / row[i].mu : row[i].rate;
    if (!isfinite(x)) continue;
    range.least = fmin(range.least, x);
    range.largest = fmax(range.largest, x);
    range.mean += x;
    count++;
  }
  if (!count) return (Range){NAN, NAN, NAN};
  range.mean /= (double)count;
  return range;
}

/* The lambdas without an exact hypergradient; the first of them. */
static PetscInt CountUnknown(const Study *study, const StudyRow row[], const StudyRow **first)
{
  PetscInt count = 0;

  *first = NULL;
  for (PetscInt s = 0; s < study->samples; s++) {
    const StudyRow *const r = &row[s * study->nmethods * study->nat];
    if (r->exact_reason > 0) continue;
    if (!*first) *first = r;
    count++;
  }
  return count;
}

/* ------------------------------------------------------------------ for people */

/* "12 of 80", or "none". */
static void CountText(Count count, char text[], size_t len)
{
  if (count.there)
    snprintf(text, len, "%d of %d", count.below, count.there);
  else
    snprintf(text, len, "none");
}

static void RateText(double rate, char text[], size_t len)
{
  if (isfinite(rate))
    snprintf(text, len, "%.6f", rate);
  else
    snprintf(text, len, "-");
}

static PetscErrorCode PrintMethod(const Study *study, const StudyRow row[], PetscInt m)
{
  const StudyColumn columns[] = {relative_error, relative_theorem, relative_bound};
  char rate[3][32], below[3][32];

  PetscFunctionBegin;
  for (int j = 0; j < 3; j++) {
    RateText(Rate(study, row, m, columns[j]), rate[j], sizeof(rate[j]));
    CountText(CountBelow(study, row, m, columns[j]), below[j], sizeof(below[j]));
  }
  const StudyStatistics last = StudySummarise(study, row, m, study->nat - 1, relative_error);
  PetscCall(PetscPrintf(PETSC_COMM_SELF, "%-12s %8d %12.4e %12.4e %10s %10s %10s %12s %12s\n",
                        study->method[m].name, (int)study->at[study->nat - 1], last.mean, last.deviation,
                        rate[0], rate[1], rate[2], below[1], below[2]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PrintUnknown(const Study *study, const StudyRow row[])
{
  const StudyRow *first;

  PetscFunctionBegin;
  const PetscInt count = CountUnknown(study, row, &first);
  if (count)
    PetscCall(PetscPrintf(PETSC_COMM_SELF,
                          "no exact hypergradient at %" PetscInt_FMT " of %" PetscInt_FMT
                          " lambdas, and no errors there (first: sample %d, %s)\n",
                          count, study->samples, (int)first->sample,
                          HGConvergedReasons[(int)first->exact_reason]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StudyPrint(const Study *study, const StudyRow row[], PetscInt n)
{
  PetscFunctionBegin;
  if (!row || !n) PetscFunctionReturn(PETSC_SUCCESS); /* rank 0 has them */
  const Range kappa = RangeOf(study, row, PETSC_TRUE), rate = RangeOf(study, row, PETSC_FALSE);
  if (isfinite(kappa.mean))
    PetscCall(PetscPrintf(PETSC_COMM_SELF, "kappa = L / mu by formula: %.4g to %.4g\n", kappa.least,
                          kappa.largest));
  if (isfinite(rate.mean))
    PetscCall(PetscPrintf(PETSC_COMM_SELF,
                          "rate of the lower level's map by formula: mean %.6g, %.6g to %.6g\n", rate.mean,
                          rate.least, rate.largest));
  PetscCall(PrintUnknown(study, row));
  PetscCall(PetscPrintf(PETSC_COMM_SELF,
                        "relative errors at the last t, rates a step, and how often a bound is below the "
                        "error\n%-12s %8s %12s %12s %10s %10s %10s %12s %12s\n",
                        "method", "t", "mean", "deviation", "rate", "theorem's", "bound's", "theorem",
                        "bound"));
  for (PetscInt m = 0; m < study->nmethods; m++) PetscCall(PrintMethod(study, row, m));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ for programs */

static void WriteRange(Json *json, const char key[], Range range)
{
  JsonOpen(json, key);
  JsonReal(json, "least", range.least);
  JsonReal(json, "mean", range.mean);
  JsonReal(json, "largest", range.largest);
  JsonClose(json);
}

static void WriteBound(Json *json, const Study *study, const StudyRow row[], PetscInt m, StudyColumn column)
{
  const Count count = CountBelow(study, row, m, column);

  if (!count.there) return;
  JsonOpen(json, column.name);
  JsonReal(json, "rate", Rate(study, row, m, column));
  JsonInt(json, "values", count.there);
  JsonInt(json, "below_error", count.below);
  JsonClose(json);
}

static void WriteMethod(Json *json, const Study *study, const StudyRow row[], PetscInt m)
{
  const StudyStatistics last = StudySummarise(study, row, m, study->nat - 1, relative_error);

  JsonOpen(json, study->method[m].name);
  JsonInt(json, "t", study->at[study->nat - 1]);
  JsonReal(json, "relative_error_mean", last.mean);
  JsonReal(json, "relative_error_deviation", last.deviation);
  JsonReal(json, "relative_error_largest", last.largest);
  JsonReal(json, "rate", Rate(study, row, m, relative_error));
  WriteBound(json, study, row, m, relative_theorem);
  WriteBound(json, study, row, m, relative_bound);
  WriteBound(json, study, row, m, relative_estimate);
  JsonClose(json);
}

PetscErrorCode StudyWriteSummary(const Study *study, RunDir dir, const StudyRow row[], PetscInt n)
{
  const StudyRow *first;
  FILE *file;

  PetscFunctionBegin;
  PetscCall(RunDirOpenAside(dir, "summary.json", &file));
  if (file) {
    Json json;
    JsonBegin(&json, file);
    JsonString(&json, "command", "study");
    JsonString(&json, "version", TWOFOLD_VERSION);
    if (study->stopped) {
      StopsSummarise(&json, &study->why, "a study does not go on");
      JsonInt(&json, "samples_asked_for", study->asked);
    }
    JsonInt(&json, "samples", study->samples);
    JsonInt(&json, "without_exact", CountUnknown(study, row, &first));
    JsonInt(&json, "rows", n);
    WriteRange(&json, "kappa", RangeOf(study, row, PETSC_TRUE));
    WriteRange(&json, "rate", RangeOf(study, row, PETSC_FALSE));
    JsonOpen(&json, "methods");
    for (PetscInt m = 0; m < study->nmethods; m++) WriteMethod(&json, study, row, m);
    JsonClose(&json);
    JsonEnd(&json);
  }
  PetscCall(RunDirCommit(dir, "summary.json", &file));
  PetscFunctionReturn(PETSC_SUCCESS);
}
