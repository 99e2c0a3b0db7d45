/* history.csv: one row an upper step, whole lines only, flushed after each. On a resume the rows from the
   first step on are dropped, since they will be written again. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"

struct _History {
  FILE *file; /* rank 0 */
};

/* An accuracy, where there are classes. */
static PetscBool HasAccuracy(PetscBool evaluated, const BLPMetrics *metrics)
{
  return (PetscBool)(evaluated && !isnan(metrics->accuracy));
}

static const char header[] =
    "step,objective,hypergradient_norm,val_accuracy,test_loss,test_accuracy,lower_steps,adjoint_steps,"
    "adjoint_residual,reason,lower_s,adjoint_s,elapsed_s,projected_norm,total_lower_steps,"
    "total_adjoint_steps,evaluations,exact_objective,exact_val_accuracy,exact_test_loss,exact_test_accuracy,"
    "exact_change,exact_steps,exact_products,exact_reason,exact_s\n";

/* Copies the rows before first_step of an earlier history. */
static void KeepEarlierRows(FILE *old, FILE *new, PetscInt first_step)
{
  char line[1024];

  while (fgets(line, sizeof(line), old)) {
    char *end;
    const long long step = strtoll(line, &end, 10);
    if (end != line && step < first_step && strchr(line, '\n')) fputs(line, new);
  }
}

PetscErrorCode HistoryOpen(RunDir dir, PetscInt first_step, History *history)
{
  char path[PETSC_MAX_PATH_LEN];
  FILE *aside;
  int failed = 0;

  PetscFunctionBegin;
  PetscCall(PetscNew(history));
  PetscCall(RunDirPath(dir, "history.csv", path, sizeof(path)));
  PetscCall(RunDirOpenAside(dir, "history.csv", &aside));
  const PetscBool writer = (PetscBool)(aside != NULL);
  if (writer) {
    FILE *old = first_step > 0 ? fopen(path, "r") : NULL;
    fputs(header, aside);
    if (old) {
      KeepEarlierRows(old, aside, first_step);
      fclose(old);
    }
  }
  PetscCall(RunDirCommit(dir, "history.csv", &aside));
  if (writer) {
    (*history)->file = fopen(path, "a");
    failed = (*history)->file ? 0 : errno;
  }
  PetscCallMPI(MPI_Bcast(&failed, 1, MPI_INT, 0, PETSC_COMM_WORLD));
  PetscCheck(!failed, PETSC_COMM_WORLD, PETSC_ERR_FILE_WRITE, "cannot append to %s: %s", path,
             strerror(failed));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A number, or nothing where there is none. */
static void Field(char row[], size_t len, PetscBool has, const char format[], double value)
{
  char text[64] = ",";
  const size_t used = strlen(row);

  if (has && isfinite(value))
    snprintf(text, sizeof(text), format, value);
  else if (has)
    snprintf(text, sizeof(text), ",%s", isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
  snprintf(row + used, len - used, "%s", text);
}

/* The columns of w(lambda), all of them empty where it was not computed. */
static void ExactFields(char row[], size_t len, const ExactPoint *exact)
{
  const PetscBool val = (PetscBool)(exact->measured && exact->has_val);
  const PetscBool test = (PetscBool)(exact->measured && exact->has_test);

  Field(row, len, exact->measured, ",%.17g", exact->f);
  Field(row, len, HasAccuracy(val, &exact->val), ",%.6f", exact->val.accuracy);
  Field(row, len, test, ",%.17g", exact->test.loss);
  Field(row, len, HasAccuracy(test, &exact->test), ",%.6f", exact->test.accuracy);
  Field(row, len, exact->there, ",%.6e", exact->change);
  Field(row, len, exact->there, ",%.0f", (double)exact->its);
  Field(row, len, exact->there, ",%.0f", (double)exact->products);
  const size_t used = strlen(row);
  snprintf(row + used, len - used, ",%s", exact->there ? LLSConvergedReasons[exact->reason] : "");
  Field(row, len, exact->there, ",%.3f", exact->time);
}

PetscErrorCode HistoryWrite(History history, const HistoryRow *row)
{
  char line[1024];
  int failed = 0;

  PetscFunctionBegin;
  if (history->file) {
    const PetscBool test = (PetscBool)(row->evaluated && row->has_test);
    snprintf(line, sizeof(line), "%lld", (long long)row->step);
    Field(line, sizeof(line), PETSC_TRUE, ",%.17g", row->f);
    Field(line, sizeof(line), row->has_gradient, ",%.17g", row->hg.norm);
    Field(line, sizeof(line), HasAccuracy(row->evaluated, &row->val), ",%.6f", row->val.accuracy);
    Field(line, sizeof(line), test, ",%.17g", row->test.loss);
    Field(line, sizeof(line), HasAccuracy(test, &row->test), ",%.6f", row->test.accuracy);
    Field(line, sizeof(line), PETSC_TRUE, ",%.0f", (double)row->hg.lower_its);
    Field(line, sizeof(line), row->has_adjoint, ",%.0f", (double)row->hg.adjoint_its);
    Field(line, sizeof(line), (PetscBool)(row->hg.adjoint_residual >= 0), ",%.6e", row->hg.adjoint_residual);
    const size_t used = strlen(line);
    snprintf(line + used, sizeof(line) - used, ",%s", HGConvergedReasons[row->hg.reason]);
    Field(line, sizeof(line), PETSC_TRUE, ",%.6f", row->hg.lower_time);
    Field(line, sizeof(line), row->has_adjoint, ",%.6f", row->hg.adjoint_time);
    Field(line, sizeof(line), PETSC_TRUE, ",%.3f", row->time);
    Field(line, sizeof(line), (PetscBool)(row->projected_norm >= 0), ",%.17g", row->projected_norm);
    Field(line, sizeof(line), PETSC_TRUE, ",%.0f", (double)row->total_lower_its);
    Field(line, sizeof(line), PETSC_TRUE, ",%.0f", (double)row->total_adjoint_its);
    Field(line, sizeof(line), PETSC_TRUE, ",%.0f", (double)row->evaluations);
    ExactFields(line, sizeof(line), &row->exact);
    failed = fputs(line, history->file) < 0 || fputc('\n', history->file) == EOF || fflush(history->file);
  }
  PetscCallMPI(MPI_Bcast(&failed, 1, MPI_INT, 0, PETSC_COMM_WORLD));
  PetscCheck(!failed, PETSC_COMM_WORLD, PETSC_ERR_FILE_WRITE,
             "cannot write a row of history.csv: is the disk full?");
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HistoryClose(History *history)
{
  PetscFunctionBegin;
  if ((*history)->file) fclose((*history)->file);
  PetscCall(PetscFree(*history));
  PetscFunctionReturn(PETSC_SUCCESS);
}
