/* history.csv: one row an upper step; and diagnostics.csv: what the problem tells of a point. */
#include <math.h>
#include <string.h>
#include "cli.h"

/* An accuracy, where there are classes. */
static PetscBool HasAccuracy(PetscBool evaluated, const BLPMetrics *metrics)
{
  return (PetscBool)(evaluated && !isnan(metrics->accuracy));
}

static const char header[] =
    "step,objective,hypergradient_norm,val_accuracy,test_loss,test_accuracy,lower_steps,adjoint_steps,"
    "adjoint_residual,reason,lower_s,adjoint_s,elapsed_s,projected_norm,total_lower_steps,"
    "total_adjoint_steps,evaluations,exact_objective,exact_val_accuracy,exact_test_loss,exact_test_accuracy,"
    "exact_change,exact_steps,exact_products,exact_reason,exact_s,adjoint_products";

/* The columns of w(lambda), all of them empty where it was not computed. */
static void ExactFields(char row[], size_t len, const ExactPoint *exact)
{
  const PetscBool val = (PetscBool)(exact->measured && exact->has_val);
  const PetscBool test = (PetscBool)(exact->measured && exact->has_test);

  CliTableField(row, len, exact->measured, ",%.17g", exact->f);
  CliTableField(row, len, HasAccuracy(val, &exact->val), ",%.6f", exact->val.accuracy);
  CliTableField(row, len, test, ",%.17g", exact->test.loss);
  CliTableField(row, len, HasAccuracy(test, &exact->test), ",%.6f", exact->test.accuracy);
  CliTableField(row, len, exact->there, ",%.6e", exact->change);
  CliTableField(row, len, exact->there, ",%.0f", (double)exact->its);
  CliTableField(row, len, exact->there, ",%.0f", (double)exact->products);
  const size_t used = strlen(row);
  snprintf(row + used, len - used, ",%s", exact->there ? LLSConvergedReasons[exact->reason] : "");
  CliTableField(row, len, exact->there, ",%.3f", exact->time);
}

PetscErrorCode HistoryOpen(RunDir dir, PetscInt first_step, CliTable *history)
{
  PetscFunctionBegin;
  PetscCall(CliTableOpen(dir, "history.csv", header, first_step, history));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HistoryWrite(CliTable history, const HistoryRow *row)
{
  const PetscBool test = (PetscBool)(row->evaluated && row->has_test);
  char line[1024];

  PetscFunctionBegin;
  snprintf(line, sizeof(line), "%lld", (long long)row->step);
  CliTableField(line, sizeof(line), PETSC_TRUE, ",%.17g", row->f);
  CliTableField(line, sizeof(line), row->has_gradient, ",%.17g", row->hg.norm);
  CliTableField(line, sizeof(line), HasAccuracy(row->evaluated, &row->val), ",%.6f", row->val.accuracy);
  CliTableField(line, sizeof(line), test, ",%.17g", row->test.loss);
  CliTableField(line, sizeof(line), HasAccuracy(test, &row->test), ",%.6f", row->test.accuracy);
  CliTableField(line, sizeof(line), PETSC_TRUE, ",%.0f", (double)row->hg.lower_its);
  CliTableField(line, sizeof(line), row->has_adjoint, ",%.0f", (double)row->hg.adjoint_its);
  CliTableField(line, sizeof(line), (PetscBool)(row->hg.adjoint_residual >= 0), ",%.6e",
                row->hg.adjoint_residual);
  const size_t used = strlen(line);
  snprintf(line + used, sizeof(line) - used, ",%s", HGConvergedReasons[row->hg.reason]);
  CliTableField(line, sizeof(line), PETSC_TRUE, ",%.6f", row->hg.lower_time);
  CliTableField(line, sizeof(line), row->has_adjoint, ",%.6f", row->hg.adjoint_time);
  CliTableField(line, sizeof(line), PETSC_TRUE, ",%.3f", row->time);
  CliTableField(line, sizeof(line), (PetscBool)(row->projected_norm >= 0), ",%.17g", row->projected_norm);
  CliTableField(line, sizeof(line), PETSC_TRUE, ",%.0f", (double)row->total_lower_its);
  CliTableField(line, sizeof(line), PETSC_TRUE, ",%.0f", (double)row->total_adjoint_its);
  CliTableField(line, sizeof(line), PETSC_TRUE, ",%.0f", (double)row->evaluations);
  ExactFields(line, sizeof(line), &row->exact);
  CliTableField(line, sizeof(line), row->has_adjoint, ",%.0f", (double)row->hg.adjoint_products);
  PetscCall(CliTableWrite(history, line));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DiagnosticsOpen(RunDir dir, BLP blp, PetscInt first_step, CliTable *diagnostics)
{
  const char *const *names;
  char columns[1024] = "step";
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(BLPGetDiagnostics(blp, &n, &names));
  for (PetscInt k = 0; k < n; k++) {
    PetscCall(PetscStrlcat(columns, ",", sizeof(columns)));
    PetscCall(PetscStrlcat(columns, names[k], sizeof(columns)));
  }
  PetscCall(CliTableOpen(dir, "diagnostics.csv", columns, first_step, diagnostics));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DiagnosticsWrite(CliTable diagnostics, PetscInt step, BLP blp, Vec lambda, Vec w)
{
  const char *const *names;
  PetscReal *values;
  char line[1024];
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(BLPGetDiagnostics(blp, &n, &names));
  PetscCall(PetscMalloc1(n, &values));
  PetscCall(BLPDiagnose(blp, lambda, w, values));
  snprintf(line, sizeof(line), "%lld", (long long)step);
  for (PetscInt k = 0; k < n; k++) CliTableField(line, sizeof(line), PETSC_TRUE, ",%.17g", (double)values[k]);
  PetscCall(PetscFree(values));
  PetscCall(CliTableWrite(diagnostics, line));
  PetscFunctionReturn(PETSC_SUCCESS);
}
