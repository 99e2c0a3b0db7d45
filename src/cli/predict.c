/* twofold predict: applies a model, which solve wrote, to samples. */
#include <string.h>
#include "predictions.h"

typedef struct {
  CliCommon common;
  char model[PETSC_MAX_PATH_LEN], input[PETSC_MAX_PATH_LEN], output[PETSC_MAX_PATH_LEN];
  PetscBool probabilities;
} PredictOptions;

static PetscErrorCode ReadOptions(PredictOptions *o)
{
  PetscFunctionBegin;
  *o = (PredictOptions){0};
  PetscCall(CliCommonFromOptions(&o->common, NULL));
  PetscOptionsBegin(PETSC_COMM_WORLD, NULL, "Program options: predict", "twofold");
  PetscCall(PetscOptionsString("-predict_model", "Model: solution.h5 of a run directory", "twofold", o->model,
                               o->model, sizeof(o->model), NULL));
  PetscCall(PetscOptionsString("-data_input", "Samples: file, or folder of a text corpus", "twofold",
                               o->input, o->input, sizeof(o->input), NULL));
  PetscCall(PetscOptionsString("-predict_output", "File to write: .h5 HDF5, else CSV, one line a sample",
                               "twofold", o->output, o->output, sizeof(o->output), NULL));
  PetscCall(PetscOptionsBool("-predict_probabilities", "Write the probability of each class too", "twofold",
                             o->probabilities, &o->probabilities, NULL));
  PetscOptionsEnd();
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckOptions(const PredictOptions *o)
{
  PetscFunctionBegin;
  PetscCheck(o->model[0], PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
             "no model: give -predict_model RUN/solution.h5, which twofold solve writes");
  PetscCheck(o->input[0], PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT, "no data: give -data_input FILE");
  PetscCheck(!o->probabilities || o->output[0], PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
             "-predict_probabilities: give -predict_output FILE to write them to");
  if (o->output[0]) PetscCall(PredictionsCheckPath(o->output));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the model and its answers */

/* *lambda is NULL where w alone answers. */
static PetscErrorCode LoadModel(const char path[], BLP *blp, Vec *lambda, Vec *w)
{
  PetscBool by_lambda;

  PetscFunctionBegin;
  *lambda = NULL;
  PetscCall(BLPCreate(PETSC_COMM_WORLD, blp));
  PetscCall(BLPLoadModel(*blp, path));
  PetscCall(BLPPredictsByLambda(*blp, &by_lambda));
  PetscCall(BLPCreateVecs(*blp, by_lambda ? lambda : NULL, w));
  PetscCall(PetscObjectSetName((PetscObject)*w, "w"));
  PetscCall(TwofoldVecLoad(*w, path));
  if (*lambda) PetscCall(PetscObjectSetName((PetscObject)*lambda, "lambda"));
  if (*lambda) PetscCall(TwofoldVecLoad(*lambda, path));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The most probable class of each of this rank's samples, the first one where several are. */
static PetscErrorCode ChooseClasses(Predictions *p)
{
  const PetscScalar *z;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(p->nlocal + 1, &p->predicted));
  PetscCall(VecGetArrayRead(p->Z, &z));
  for (PetscInt i = 0; i < p->nlocal; i++) {
    const PetscScalar *const row = z + i * p->c;
    PetscInt top = 0;
    for (PetscInt k = 1; k < p->c; k++)
      if (PetscRealPart(row[k]) > PetscRealPart(row[top])) top = k;
    p->predicted[i] = top;
  }
  PetscCall(VecRestoreArrayRead(p->Z, &z));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Takes ds over. */
static PetscErrorCode Predict(BLP blp, DataSet ds, Vec lambda, Vec w, Predictions *p, BLPMetrics *metrics)
{
  const PetscReal *target;

  PetscFunctionBegin;
  *p = (Predictions){.ds = ds};
  PetscCall(BLPPredict(blp, ds, lambda, w, &p->Z, metrics));
  PetscCall(VecGetBlockSize(p->Z, &p->c));
  PetscCall(DataSetGetSizes(ds, &p->n, NULL, NULL));
  PetscCall(DataSetGetRows(ds, &p->nlocal, NULL, NULL, NULL, &p->label));
  PetscCall(DataSetGetClasses(ds, &p->value, &p->name));
  PetscCall(DataSetGetNames(ds, &p->documents));
  PetscCall(DataSetGetTargets(ds, &target));
  p->targets = (PetscBool)(target != NULL);
  if (!p->targets) PetscCall(ChooseClasses(p));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PredictionsDestroy(Predictions *p)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(p->predicted));
  PetscCall(VecDestroy(&p->Z));
  PetscCall(DataSetDestroy(&p->ds));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ what is printed */

static PetscErrorCode PrintMisfit(const Predictions *p, const DataSetMisfit *misfit)
{
  PetscFunctionBegin;
  if (misfit->entries)
    PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                          "left out               %" PetscInt64_FMT " entries of %" PetscInt_FMT
                          " samples: features beyond those of the model\n",
                          misfit->entries, misfit->samples));
  if (misfit->unlabelled)
    PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                          "unknown labels         %" PetscInt_FMT " of %" PetscInt_FMT
                          " samples: none of the model's classes\n",
                          misfit->unlabelled, p->n));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PrintMetrics(const Predictions *p, const BLPMetrics *m)
{
  PetscFunctionBegin;
  if (!m->n) PetscFunctionReturn(PETSC_SUCCESS);
  if (!PetscIsNanReal(m->accuracy))
    PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                          "accuracy               %.15g (%.0f of %" PetscInt_FMT " samples)\n",
                          (double)m->accuracy, (double)m->accuracy * (double)m->n, m->n));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%s          %.15g\n",
                        p->targets ? "mean loss    " : "cross-entropy", (double)m->loss));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Known labels against predicted ones, where that fits on a few lines. */
static PetscErrorCode PrintConfusion(const Predictions *p, const BLPMetrics *metrics)
{
  enum { most = 12 };
  const PetscInt c = p->c;
  PetscInt count[most * most] = {0};
  char label[64];

  PetscFunctionBegin;
  if (c > most || !metrics->n) PetscFunctionReturn(PETSC_SUCCESS);
  for (PetscInt i = 0; i < p->nlocal; i++)
    if (p->label[i] < c) count[p->label[i] * c + p->predicted[i]]++;
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, count, (PetscMPIInt)(c * c), MPIU_INT, MPI_SUM, PETSC_COMM_WORLD));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "label \\ predicted "));
  for (PetscInt k = 0; k < c; k++) {
    PetscCall(PredictionsLabel(p, k, label, sizeof(label)));
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, " %8.8s", label));
  }
  for (PetscInt j = 0; j < c; j++) {
    PetscCall(PredictionsLabel(p, j, label, sizeof(label)));
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "\n  %-16.16s", label));
    for (PetscInt k = 0; k < c; k++)
      PetscCall(PetscPrintf(PETSC_COMM_WORLD, " %8" PetscInt_FMT, count[j * c + k]));
  }
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "\n"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Report(const PredictOptions *o, const Predictions *p, const DataSetMisfit *misfit,
                             const BLPMetrics *metrics)
{
  PetscFunctionBegin;
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "samples                %" PetscInt_FMT "\n", p->n));
  PetscCall(PrintMisfit(p, misfit));
  PetscCall(PrintMetrics(p, metrics));
  if (!o->common.quiet && !p->targets) PetscCall(PrintConfusion(p, metrics));
  if (o->output[0] && !o->common.quiet) PetscCall(PetscPrintf(PETSC_COMM_WORLD, "wrote %s\n", o->output));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the command */

PetscErrorCode CommandPredict(int *code)
{
  PredictOptions options;
  Predictions predictions;
  DataSetMisfit misfit;
  BLPMetrics metrics;
  BLP blp;
  DataSet ds;
  Vec lambda, w;

  PetscFunctionBegin;
  (void)code;
  /* 1. options, of which none may be left unread */
  PetscCall(ReadOptions(&options));
  PetscCall(CliHearData());
  if (options.common.help) {
    PetscCall(CliHelpPrint(options.common.help_all));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(CliRefuseUnusedOptions());
  PetscCall(CheckOptions(&options));
  /* 2. model and samples */
  PetscCall(LoadModel(options.model, &blp, &lambda, &w));
  PetscCall(BLPReadDataSet(blp, options.input, &ds, &misfit));
  /* 3. predictions */
  PetscCall(Predict(blp, ds, lambda, w, &predictions, &metrics));
  PetscCheck(!predictions.targets || !options.probabilities, PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
             "-predict_probabilities: the model of %s predicts numbers, not classes", options.model);
  if (options.output[0]) PetscCall(PredictionsWrite(&predictions, options.output, options.probabilities));
  PetscCall(Report(&options, &predictions, &misfit, &metrics));
  PetscCall(PredictionsDestroy(&predictions));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&w));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(PETSC_SUCCESS);
}
