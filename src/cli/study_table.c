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

double StudyValue(const StudyRow *row, StudyColumn column)
{
  const double x = *(const double *)((const char *)row + column.at);

  return column.relative ? x / row->norm : x;
}

StudyStatistics StudySummarise(const Study *study, const StudyRow row[], PetscInt m, PetscInt i,
                               StudyColumn column)
{
  StudyStatistics s = {0, 0, 0, INFINITY, -INFINITY};
  double squares = 0;

  for (PetscInt sample = 0; sample < study->samples; sample++) {
    const double x = StudyValue(&row[(sample * study->nmethods + m) * study->nat + i], column);
    if (!isfinite(x)) continue;
    const double d = x - s.mean; /* Welford's update: errors of 1e-15 beside 1 keep their digits */
    s.n++;
    s.mean += d / s.n;
    squares += d * (x - s.mean);
    s.least = fmin(s.least, x);
    s.largest = fmax(s.largest, x);
  }
  if (!s.n) return (StudyStatistics){0, NAN, NAN, NAN, NAN};
  s.deviation = s.n > 1 ? sqrt(squares / (s.n - 1)) : 0;
  return s;
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
  fprintf(file, "sample,method,t,k,f,norm,error,relative_error,theorem,theorem_standing,bound,bound_standing,"
                "estimate,L,mu,rate,reason,exact_reason,iterate_error,adjoint_error\n");
  for (PetscInt i = 0; i < n; i++) {
    const StudyRow *r = &row[i];
    const double first[] = {r->f, r->norm, r->error, r->relative, r->theorem},
                 last[] = {r->L, r->mu, r->rate};
    fprintf(file, "%d,%s,%d,%d", (int)r->sample, study->method[(int)r->method].name, (int)r->t, (int)r->k);
    for (size_t j = 0; j < sizeof(first) / sizeof(first[0]); j++) WriteNumber(file, first[j]);
    fprintf(file, ",%s", TwofoldStandings[(int)r->theorem_standing]);
    WriteNumber(file, r->bound);
    fprintf(file, ",%s", TwofoldStandings[(int)r->bound_standing]);
    WriteNumber(file, r->estimate);
    for (size_t j = 0; j < sizeof(last) / sizeof(last[0]); j++) WriteNumber(file, last[j]);
    fprintf(file, ",%s,%s", HGConvergedReasons[(int)r->reason], HGConvergedReasons[(int)r->exact_reason]);
    WriteNumber(file, r->iterate_error);
    WriteNumber(file, r->adjoint_error);
    fprintf(file, "\n");
  }
}

/* All but the first relative to ||grad f|| of each lambda, so that they stand beside one another. */
static void WriteMeans(FILE *file, const Study *study, const StudyRow row[])
{
  const StudyColumn columns[] = {{"error", offsetof(StudyRow, error), PETSC_FALSE},
                                 {"relative_error", offsetof(StudyRow, error), PETSC_TRUE},
                                 {"relative_theorem", offsetof(StudyRow, theorem), PETSC_TRUE},
                                 {"relative_bound", offsetof(StudyRow, bound), PETSC_TRUE},
                                 {"relative_estimate", offsetof(StudyRow, estimate), PETSC_TRUE},
                                 {"relative_iterate_error", offsetof(StudyRow, iterate_error), PETSC_TRUE},
                                 {"relative_adjoint_error", offsetof(StudyRow, adjoint_error), PETSC_TRUE}};
  const size_t ncolumns = sizeof(columns) / sizeof(columns[0]);

  fprintf(file, "method,t,n");
  for (size_t j = 0; j < ncolumns; j++)
    fprintf(file, ",%s_mean,%s_deviation,%s_least,%s_largest", columns[j].name, columns[j].name,
            columns[j].name, columns[j].name);
  fprintf(file, "\n");
  for (PetscInt m = 0; m < study->nmethods; m++) {
    for (PetscInt i = 0; i < study->nat; i++) {
      fprintf(file, "%s,%d,%d", study->method[m].name, (int)study->at[i],
              StudySummarise(study, row, m, i, columns[0]).n);
      for (size_t j = 0; j < ncolumns; j++) {
        const StudyStatistics s = StudySummarise(study, row, m, i, columns[j]);
        WriteNumber(file, s.mean);
        WriteNumber(file, s.deviation);
        WriteNumber(file, s.least);
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
  if (file) WriteMeans(file, study, row);
  PetscCall(RunDirCommit(dir, "means.csv", &file));
  PetscFunctionReturn(PETSC_SUCCESS);
}
