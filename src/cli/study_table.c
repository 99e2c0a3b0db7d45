/* The results of twofold study: study.csv has a line a (lambda, method, t), means.csv a line a (method, t).
 */
#include <math.h>
#include <stdlib.h>
#include "study.h"

/* ------------------------------------------------------------------ from all groups */

static int CompareRows(const void *a, const void *b)
{
  const StudyRow *x = (const StudyRow *)a, *y = (const StudyRow *)b;

  if (x->sample != y->sample) return x->sample < y->sample ? -1 : 1;
  if (x->method != y->method) return x->method < y->method ? -1 : 1;
  return (x->t > y->t) - (x->t < y->t);
}

PetscErrorCode StudyGather(const Study *study, const StudyRow own[], PetscInt nown, StudyRow **all,
                           PetscInt *n)
{
  PetscMPIInt rank, size, within, count, *counts = NULL, *starts = NULL, total = 0;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  PetscCallMPI(MPI_Comm_rank(study->comm, &within));
  *all = NULL;
  PetscCall(
      PetscMPIIntCast(within == 0 ? nown * STUDY_COLUMNS : 0, &count)); /* one rank speaks for its group */
  if (rank == 0) PetscCall(PetscMalloc2(size, &counts, size, &starts));
  PetscCallMPI(MPI_Gather(&count, 1, MPI_INT, counts, 1, MPI_INT, 0, PETSC_COMM_WORLD));
  for (PetscMPIInt r = 0; rank == 0 && r < size; r++) {
    starts[r] = total;
    total += counts[r];
  }
  *n = total / STUDY_COLUMNS;
  if (rank == 0) PetscCall(PetscMalloc1(*n + 1, all));
  PetscCallMPI(MPI_Gatherv(own, count, MPI_DOUBLE, *all, counts, starts, MPI_DOUBLE, 0, PETSC_COMM_WORLD));
  if (rank == 0) {
    qsort(*all, (size_t)*n, sizeof(StudyRow), CompareRows);
    PetscCall(PetscFree2(counts, starts));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ over the lambdas */

/* Number, mean, standard deviation and largest of what is finite. */
typedef struct {
  int n;
  double mean, deviation, largest;
} Statistics;

static Statistics Summarise(const StudyRow row[], PetscInt n, double method, double t, size_t column)
{
  Statistics s = {0, 0, 0, -INFINITY};
  double squares = 0;

  for (PetscInt i = 0; i < n; i++) {
    const double x = *(const double *)((const char *)&row[i] + column);
    if (row[i].method != method || row[i].t != t || !isfinite(x)) continue;
    const double d = x - s.mean; /* Welford's update: errors of 1e-15 beside 1 keep their digits */
    s.n++;
    s.mean += d / s.n;
    squares += d * (x - s.mean);
    s.largest = fmax(s.largest, x);
  }
  if (!s.n) return (Statistics){0, NAN, NAN, NAN};
  s.deviation = s.n > 1 ? sqrt(squares / (s.n - 1)) : 0;
  return s;
}

/* What one step multiplies the mean relative error by: the slope of its logarithm over the t where it is
   between 1e-9 and 1e-1, least squares. NaN with fewer than two such t. */
static double ObservedRate(const Study *study, const StudyRow row[], PetscInt n, double method)
{
  double count = 0, st = 0, sy = 0, stt = 0, sty = 0;

  for (PetscInt i = 0; i < study->nat; i++) {
    const double t = (double)study->at[i],
                 e = Summarise(row, n, method, t, offsetof(StudyRow, relative)).mean;
    if (!(e >= 1e-9 && e <= 1e-1)) continue;
    count++;
    st += t, sy += log(e), stt += t * t, sty += t * log(e);
  }
  const double spread = count * stt - st * st;
  return count > 1 && spread > 0 ? exp((count * sty - st * sy) / spread) : NAN;
}

/* ------------------------------------------------------------------ files */

static void WriteNumber(FILE *file, double x)
{
  if (isfinite(x))
    fprintf(file, ",%.17g", x);
  else
    fprintf(file, ","); /* an empty field: there is none */
}

static void WriteRows(FILE *file, const Study *study, const StudyRow row[], PetscInt n)
{
  fprintf(file,
          "sample,method,t,k,f,norm,error,relative_error,theorem,bound,bound_standing,estimate,L,mu,rate,"
          "reason\n");
  for (PetscInt i = 0; i < n; i++) {
    const StudyRow *r = &row[i];
    const double numbers[] = {r->f, r->norm, r->error, r->relative, r->theorem, r->bound};
    fprintf(file, "%d,%s,%d,%d", (int)r->sample, study->method[(int)r->method].name, (int)r->t, (int)r->k);
    for (size_t j = 0; j < sizeof(numbers) / sizeof(numbers[0]); j++) WriteNumber(file, numbers[j]);
    fprintf(file, ",%s", TwofoldStandings[(int)r->standing]);
    WriteNumber(file, r->estimate);
    WriteNumber(file, r->L);
    WriteNumber(file, r->mu);
    WriteNumber(file, r->rate);
    fprintf(file, ",%s\n", HGConvergedReasons[(int)r->reason]);
  }
}

/* Relative to ||grad f|| of each lambda, so that they stand beside one another. */
static void WriteMeans(FILE *file, const Study *study, const StudyRow row[], PetscInt n)
{
  const size_t columns[] = {offsetof(StudyRow, error), offsetof(StudyRow, relative),
                            offsetof(StudyRow, theorem), offsetof(StudyRow, bound),
                            offsetof(StudyRow, estimate)};

  fprintf(file, "method,t,n");
  const char *const names[] = {"error", "relative_error", "theorem", "bound", "estimate"};
  for (int j = 0; j < 5; j++) fprintf(file, ",%s_mean,%s_deviation,%s_largest", names[j], names[j], names[j]);
  fprintf(file, "\n");
  for (PetscInt m = 0; m < study->nmethods; m++) {
    for (PetscInt i = 0; i < study->nat; i++) {
      const double t = (double)study->at[i];
      fprintf(file, "%s,%d,%d", study->method[m].name, (int)t, Summarise(row, n, (double)m, t, columns[0]).n);
      for (int j = 0; j < 5; j++) {
        const Statistics s = Summarise(row, n, (double)m, t, columns[j]);
        WriteNumber(file, s.mean);
        WriteNumber(file, s.deviation);
        WriteNumber(file, s.largest);
      }
      fprintf(file, "\n");
    }
  }
}

PetscErrorCode StudyWrite(const Study *study, RunDir dir, const StudyRow row[], PetscInt n)
{
  FILE *file;

  PetscFunctionBegin;
  PetscCall(RunDirOpenAside(dir, "study.csv", &file));
  if (file) WriteRows(file, study, row, n);
  PetscCall(RunDirCommit(dir, "study.csv", &file));
  PetscCall(RunDirOpenAside(dir, "means.csv", &file));
  if (file) WriteMeans(file, study, row, n);
  PetscCall(RunDirCommit(dir, "means.csv", &file));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ for people */

static int Violations(const StudyRow row[], PetscInt n, double method, size_t column)
{
  int count = 0;

  for (PetscInt i = 0; i < n; i++) {
    const double bound = *(const double *)((const char *)&row[i] + column);
    const double rounding = 100 * PETSC_MACHINE_EPSILON * row[i].L / row[i].mu * row[i].norm;
    if (row[i].method == method && isfinite(bound) && row[i].error > bound + (rounding > 0 ? rounding : 0))
      count++;
  }
  return count;
}

/* "12 of 80": how often the bound was below the error. */
static void CountBound(const StudyRow row[], PetscInt n, double method, size_t column, char text[],
                       size_t len)
{
  int there = 0;

  for (PetscInt i = 0; i < n; i++)
    if (row[i].method == method && isfinite(*(const double *)((const char *)&row[i] + column))) there++;
  if (there)
    snprintf(text, len, "%d of %d", Violations(row, n, method, column), there);
  else
    snprintf(text, len, "none");
}

static double MeanOf(const StudyRow row[], PetscInt n, size_t column, double *least, double *largest)
{
  double sum = 0;
  PetscInt count = 0;

  *least = INFINITY;
  *largest = -INFINITY;
  for (PetscInt i = 0; i < n; i++) {
    const double x = *(const double *)((const char *)&row[i] + column);
    if (!isfinite(x)) continue;
    sum += x;
    count++;
    *least = fmin(*least, x);
    *largest = fmax(*largest, x);
  }
  return count ? sum / (double)count : NAN;
}

static PetscErrorCode PrintCondition(const StudyRow row[], PetscInt n)
{
  double least = INFINITY, largest = 0, low, high;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < n; i++) {
    if (!(row[i].mu > 0)) continue;
    least = fmin(least, row[i].L / row[i].mu);
    largest = fmax(largest, row[i].L / row[i].mu);
  }
  if (largest > 0)
    PetscCall(PetscPrintf(PETSC_COMM_SELF, "kappa = L / mu by formula: %.4g to %.4g\n", least, largest));
  const double rate = MeanOf(row, n, offsetof(StudyRow, rate), &low, &high);
  if (isfinite(rate))
    PetscCall(PetscPrintf(PETSC_COMM_SELF,
                          "rate of the lower level's map by formula: mean %.6f, %.6f to %.6f\n", rate, low,
                          high));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StudyPrint(const Study *study, const StudyRow row[], PetscInt n)
{
  PetscFunctionBegin;
  if (!row) PetscFunctionReturn(PETSC_SUCCESS); /* rank 0 has them */
  PetscCall(PrintCondition(row, n));
  PetscCall(PetscPrintf(PETSC_COMM_SELF, "%-16s %6s %13s %13s %10s %18s %18s\n", "method", "t",
                        "error (mean)", "relative", "rate", "theorem below", "bound below"));
  for (PetscInt m = 0; m < study->nmethods; m++) {
    const double t = (double)study->at[study->nat - 1];
    char theorem[32], bound[32];
    CountBound(row, n, (double)m, offsetof(StudyRow, theorem), theorem, sizeof(theorem));
    CountBound(row, n, (double)m, offsetof(StudyRow, bound), bound, sizeof(bound));
    PetscCall(PetscPrintf(PETSC_COMM_SELF, "%-16s %6d %13.4e %13.4e %10.6f %18s %18s\n",
                          study->method[m].name, (int)t,
                          Summarise(row, n, (double)m, t, offsetof(StudyRow, error)).mean,
                          Summarise(row, n, (double)m, t, offsetof(StudyRow, relative)).mean,
                          ObservedRate(study, row, n, (double)m), theorem, bound));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}
