/* twofold solve: bilevel optimisation with a run directory, progress lines, checkpoints and resume. */
#include "cli.h"

/* The run, as its monitor and its step hook see it. */
typedef struct {
  CliCommon common;
  PetscInt eval_every, exact_every, diagnose_every;
  PetscBool resume, eval_exact;
  Exact exact; /* NULL without -uls_eval_exact */
  BLP blp;
  ULS uls;
  Vec lambda;
  RunDir dir;
  Checkpoints checkpoints;
  Stops stops;
  CliTable history;
  CliTable diagnostics;        /* NULL without -uls_diagnose_every */
  PetscBool has_val, has_test; /* validation and test samples */
  PetscInt first;              /* step the run began or was resumed at */
  PetscInt rows;               /* of history.csv so far */
  HistoryRow last;             /* last row written */
  HistoryRow last_evaluated;
  HistoryRow last_exact; /* last one with w(lambda) */
} Run;

/* ------------------------------------------------------------------ options */

static PetscErrorCode ReadOptions(Run *run)
{
  PetscFunctionBegin;
  PetscCall(CliCommonFromOptions(&run->common, "twofold_run"));
  PetscCall(CliLambdaOptions());
  run->eval_every = 10;
  PetscOptionsBegin(PETSC_COMM_WORLD, NULL, "Program options: solve", "twofold");
  PetscCall(PetscOptionsInt("-uls_eval_every",
                            "Accuracy and test loss every N steps and at the last (0: at the last)",
                            "twofold", run->eval_every, &run->eval_every, NULL));
  PetscCall(PetscOptionsBool("-uls_eval_exact",
                             "Also f, accuracy and test loss at w(lambda), the lower level solved by "
                             "-uls_eval_lls_type to -uls_eval_lls_rtol",
                             "twofold", run->eval_exact, &run->eval_exact, NULL));
  if (run->eval_exact)
    PetscCall(PetscOptionsInt("-uls_eval_exact_every", "These every N steps and at the last (0: at the last)",
                              "twofold", run->exact_every, &run->exact_every, NULL));
  PetscCall(PetscOptionsInt("-uls_diagnose_every",
                            "What the problem tells of the point beside f, into diagnostics.csv, every N "
                            "steps and at the last (0: never)",
                            "twofold", run->diagnose_every, &run->diagnose_every, NULL));
  PetscCall(CheckpointsFromOptions(PetscOptionsObject, &run->checkpoints));
  PetscCall(StopsFromOptions(PetscOptionsObject, &run->stops));
  PetscCall(PetscOptionsBool("-resume", "Go on from the newest checkpoint of -output_dir", "twofold",
                             run->resume, &run->resume, NULL));
  PetscOptionsEnd();
  PetscCheck(run->eval_every >= 0, PETSC_COMM_WORLD, PETSC_ERR_ARG_OUTOFRANGE,
             "-uls_eval_every %" PetscInt_FMT ": must not be negative", run->eval_every);
  PetscCheck(run->exact_every >= 0, PETSC_COMM_WORLD, PETSC_ERR_ARG_OUTOFRANGE,
             "-uls_eval_exact_every %" PetscInt_FMT ": must not be negative", run->exact_every);
  PetscCheck(run->diagnose_every >= 0, PETSC_COMM_WORLD, PETSC_ERR_ARG_OUTOFRANGE,
             "-uls_diagnose_every %" PetscInt_FMT ": must not be negative", run->diagnose_every);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ checkpoints */

static PetscErrorCode AfterStep(ULS uls, PetscInt it, PetscBool *stop, void *ctx)
{
  Run *run = (Run *)ctx;
  PetscLogDouble took;
  PetscBool due;

  PetscFunctionBegin;
  PetscCall(StopsAskStep(run->stops, stop));
  PetscCall(CheckpointsAreDue(run->checkpoints, it, &due));
  if (!due || *stop) PetscFunctionReturn(PETSC_SUCCESS); /* a run that stops writes one of its own */
  PetscCall(CheckpointsWrite(run->checkpoints, uls, run->lambda, &took));
  PetscCall(StopsWrote(run->stops, took));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ progress */

static PetscErrorCode Evaluate(Run *run, const ULSPoint *point, HistoryRow *row)
{
  HG hg;

  PetscFunctionBegin;
  if (!run->has_val && !run->has_test) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(ULSGetHG(run->uls, &hg));
  row->val = (BLPMetrics){.loss = NAN, .accuracy = NAN};
  if (run->has_val) PetscCall(HGMeasure(hg, BLP_VAL, point->lambda, &row->val));
  if (run->has_test) PetscCall(HGMeasure(hg, BLP_TEST, point->lambda, &row->test));
  row->has_test = run->has_test;
  row->evaluated = PETSC_TRUE;
  run->last_evaluated = *row;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode EvaluateExact(Run *run, const ULSPoint *point, HistoryRow *row)
{
  State x;
  HG hg;

  PetscFunctionBegin;
  PetscCall(ULSGetHG(run->uls, &hg));
  PetscCall(HGGetState(hg, &x));
  PetscCall(ExactEvaluate(run->exact, point->lambda, x->v[0], run->has_val, run->has_test, &row->exact));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Diagnose(Run *run, const ULSPoint *point)
{
  State x;
  HG hg;

  PetscFunctionBegin;
  PetscCall(ULSGetHG(run->uls, &hg));
  PetscCall(HGGetState(hg, &x));
  PetscCall(DiagnosticsWrite(run->diagnostics, point->it, run->blp, point->lambda, x->v[0]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PrintExact(const ExactPoint *exact)
{
  const BLPMetrics *metrics = exact->has_test ? &exact->test : &exact->val;
  const char *const set = exact->has_test ? "test" : "val";
  char f[32], accuracy[64] = "";

  PetscFunctionBegin;
  CliObjective(exact->f, f, sizeof(f));
  if (exact->measured && exact->has_val && !PetscIsNanReal(metrics->accuracy))
    PetscCall(PetscSNPrintf(accuracy, sizeof(accuracy), "  %s %.2f %%", set, 100 * metrics->accuracy));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                        "  at w(lambda): f %s%s  %s after %" PetscInt_FMT " steps, %" PetscInt_FMT
                        " products\n",
                        f, accuracy, LLSConvergedReasons[exact->reason], exact->its, exact->products));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PrintProgress(Run *run, const HistoryRow *row, PetscInt max_it)
{
  const BLPMetrics *metrics = row->has_test ? &row->test : &row->val;
  const char *const set = row->has_test ? "test" : "val";
  char measured[64] = "", left[32] = "-", norm[32] = "", adjoint[32] = "", f[32];
  const PetscInt done = row->step - run->first + 1;

  PetscFunctionBegin;
  if (row->evaluated && PetscIsNanReal(metrics->accuracy)) /* there are no classes */
    PetscCall(PetscSNPrintf(measured, sizeof(measured), "  %s loss %.4g", set, (double)metrics->loss));
  else if (row->evaluated)
    PetscCall(PetscSNPrintf(measured, sizeof(measured), "  %s %.2f %%", set, 100 * metrics->accuracy));
  if (row->has_gradient) PetscCall(PetscSNPrintf(norm, sizeof(norm), "  |g| %.3e", (double)row->hg.norm));
  if (row->has_adjoint)
    PetscCall(PetscSNPrintf(adjoint, sizeof(adjoint), "  adjoint %" PetscInt_FMT, row->hg.adjoint_its));
  CliObjective(row->f, f, sizeof(f));
  if (done > 0) CliDuration(row->time / (double)done * (double)(max_it - row->step), left, sizeof(left));
  PetscCall(PetscPrintf(
      PETSC_COMM_WORLD,
      "step %" PetscInt_FMT "/%" PetscInt_FMT "  f %s%s  lower %" PetscInt_FMT "%s%s  left %s%s%s\n",
      row->step, max_it, f, norm, row->hg.lower_its, adjoint, measured, left, row->hg.reason < 0 ? "  " : "",
      row->hg.reason < 0 ? HGConvergedReasons[row->hg.reason] : ""));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Whether what is done every so many steps (0: never) and at the last is done at this one. */
static PetscBool IsDue(PetscInt it, PetscInt max_it, PetscInt every)
{
  return (PetscBool)(it == max_it || (every && it % every == 0));
}

static PetscErrorCode MonitorStep(ULS uls, const ULSPoint *point, void *ctx)
{
  Run *run = (Run *)ctx;
  HistoryRow row = {.step = point->it,
                    .f = point->f,
                    .has_gradient = (PetscBool)(point->g && point->hg.reason >= HG_DIVERGED_NANORINF),
                    .has_adjoint = (PetscBool)(point->g && (point->hg.reason > HG_DIVERGED_LOWER ||
                                                            point->hg.reason == HG_DIVERGED_ADJOINT)),
                    .hg = point->hg,
                    .projected_norm = point->projected_norm,
                    .total_lower_its = point->total_lower_its,
                    .total_adjoint_its = point->total_adjoint_its,
                    .evaluations = point->evaluations,
                    .time = point->time};
  PetscInt max_it;

  PetscFunctionBegin;
  PetscCall(ULSGetMaximumIterations(uls, &max_it));
  const PetscBool finite = (PetscBool)(point->hg.reason > HG_DIVERGED_NANORINF);
  if (finite && IsDue(point->it, max_it, run->eval_every)) PetscCall(Evaluate(run, point, &row));
  if (finite && run->exact && IsDue(point->it, max_it, run->exact_every))
    PetscCall(EvaluateExact(run, point, &row));
  if (row.exact.reason == LLS_STOPPED)
    PetscFunctionReturn(PETSC_SUCCESS); /* the run that goes on has the row */
  run->last = row;
  run->rows++;
  if (row.exact.there) run->last_exact = row;
  if (finite && run->diagnostics && IsDue(point->it, max_it, run->diagnose_every))
    PetscCall(Diagnose(run, point));
  PetscCall(HistoryWrite(run->history, &row));
  if (!run->common.quiet) PetscCall(PrintProgress(run, &row, max_it));
  if (!run->common.quiet && row.exact.there) PetscCall(PrintExact(&row.exact));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ results */

static PetscErrorCode WriteSolution(Run *run)
{
  Vec best;
  HG hg;

  PetscFunctionBegin;
  PetscCall(ULSGetHG(run->uls, &hg));
  PetscCall(ULSGetBest(run->uls, &best, NULL, NULL));
  PetscCall(CliWriteSolution(run->dir, run->blp, hg, run->lambda, best));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void SummariseMetrics(Json *json, const char name[], const BLPMetrics *metrics)
{
  JsonOpen(json, name);
  JsonInt(json, "samples", metrics->n);
  JsonReal(json, "loss", metrics->loss);
  JsonReal(json, "accuracy", metrics->accuracy);
  JsonClose(json);
}

static void SummariseExact(Json *json, PetscInt step, const ExactPoint *exact)
{
  JsonOpen(json, "exact");
  JsonInt(json, "step", step);
  JsonString(json, "reason", LLSConvergedReasons[exact->reason]);
  JsonInt(json, "lower_steps", exact->its);
  JsonInt(json, "products", exact->products);
  JsonReal(json, "change", exact->change);
  if (exact->measured) JsonReal(json, "objective", exact->f);
  if (exact->measured && exact->has_val) SummariseMetrics(json, "val", &exact->val);
  if (exact->measured && exact->has_test) SummariseMetrics(json, "test", &exact->test);
  JsonReal(json, "s", exact->time);
  JsonClose(json);
}

/* With `stopped` of a run that was; else NULL. */
static PetscErrorCode WriteSummary(Run *run, ULSConvergedReason reason, const Stopped *stopped,
                                   PetscLogDouble peak)
{
  PetscMPIInt size;
  PetscInt it, nlambda, nw, F, G, best_it;
  PetscInt64 lower, adjoint, evaluations;
  PetscReal best;
  HGType type;
  HG hg;
  FILE *file;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  PetscCall(ULSGetIterationNumber(run->uls, &it));
  PetscCall(ULSGetBest(run->uls, NULL, &best, &best_it));
  PetscCall(ULSGetWork(run->uls, &lower, &adjoint, &evaluations));
  PetscCall(BLPGetSizes(run->blp, &nlambda, &nw));
  PetscCall(BLPGetFolds(run->blp, &F, &G, NULL, NULL));
  PetscCall(ULSGetHG(run->uls, &hg));
  PetscCall(HGGetType(hg, &type));
  PetscCall(RunDirOpenAside(run->dir, "summary.json", &file));
  if (file) {
    const HistoryRow *eval = &run->last_evaluated;
    Json json;
    JsonBegin(&json, file);
    JsonString(&json, "command", "solve");
    JsonString(&json, "version", TWOFOLD_VERSION);
    JsonInt(&json, "ranks", size);
    JsonInt(&json, "nlambda", nlambda);
    JsonInt(&json, "nw", nw);
    if (F) JsonInt(&json, "folds", F);
    if (F) JsonInt(&json, "fold_groups", G);
    JsonString(&json, "hypergradient", type);
    JsonString(&json, "reason", ULSConvergedReasons[reason]);
    if (stopped) StopsSummarise(&json, stopped, "the same command with -resume");
    JsonInt(&json, "steps", it);
    JsonInt(&json, "resumed_at", run->first);
    JsonReal(&json, "objective", run->rows ? run->last.f : NAN);
    if (best_it >= 0) {
      JsonReal(&json, "best_objective", best);
      JsonInt(&json, "best_step", best_it);
    }
    JsonInt(&json, "total_lower_steps", lower);
    JsonInt(&json, "total_adjoint_steps", adjoint);
    JsonInt(&json, "evaluations", evaluations);
    if (eval->evaluated) {
      JsonInt(&json, "evaluated_at_step", eval->step);
      if (run->has_val) SummariseMetrics(&json, "val", &eval->val);
      if (eval->has_test) SummariseMetrics(&json, "test", &eval->test);
    }
    if (run->last_exact.exact.there) SummariseExact(&json, run->last_exact.step, &run->last_exact.exact);
    JsonReal(&json, "solve_s", run->last.time);
    JsonReal(&json, "peak_memory_per_rank_bytes", peak);
    JsonEnd(&json);
  }
  PetscCall(RunDirCommit(run->dir, "summary.json", &file));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PrintEnd(Run *run, ULSConvergedReason reason, PetscInt it, PetscLogDouble peak)
{
  const BLPMetrics *test = &run->last_evaluated.test;
  char took[32], f[32];

  PetscFunctionBegin;
  CliDuration(run->last.time, took, sizeof(took));
  CliObjective(run->last.f, f, sizeof(f));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%s after %" PetscInt_FMT " upper steps in %s: f %s",
                        ULSConvergedReasons[reason], it, took, f));
  if (run->last_evaluated.evaluated && run->has_test)
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, ", test loss %.4f", (double)test->loss));
  if (run->last_evaluated.evaluated && run->has_test && !PetscIsNanReal(test->accuracy))
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, ", test accuracy %.2f %%", (double)(100 * test->accuracy)));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "; peak memory %.0f MB a rank\nresults in %s\n", peak / 1e6,
                        run->common.output_dir));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* What may be tried where the run ended badly. */
static PetscErrorCode PrintAdvice(Run *run, ULSConvergedReason reason)
{
  const HGReport *hg = &run->last.hg;

  PetscFunctionBegin;
  if (reason == ULS_DIVERGED_HYPERGRADIENT && hg->reason == HG_DIVERGED_ADJOINT)
    PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                          "the adjoint solve failed (%s) and no step was made: try another -hg_ksp_type or a "
                          "smaller -hg_fpm_step\n",
                          KSPConvergedReasons[hg->adjoint_reason]));
  else if (reason == ULS_DIVERGED_HYPERGRADIENT)
    PetscCall(
        PetscPrintf(PETSC_COMM_WORLD,
                    "the last point could not be computed (%s, lower level %s) and no step was made on it: "
                    "try a smaller -lls_fpm_step or -uls_step\n",
                    HGConvergedReasons[hg->reason], LLSConvergedReasons[hg->lower_reason]));
  else if (reason == ULS_DIVERGED_INEXACT && hg->reason != HG_DIVERGED_ITS) /* tao's trials have no row */
    PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                          "the hypergradient of a trial point missed its tolerance: raise -lls_max_it or "
                          "-hg_ksp_max_it, or go on with -uls_on_inexact step\n"));
  else if (reason == ULS_DIVERGED_INEXACT)
    PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                          "no step was made on a hypergradient that missed its tolerance (lower level %s, "
                          "adjoint %s): raise -lls_max_it or -hg_ksp_max_it, or go on with -uls_on_inexact "
                          "step\n",
                          LLSConvergedReasons[hg->lower_reason],
                          hg->adjoint_reason ? KSPConvergedReasons[hg->adjoint_reason] : "exact"));
  else if (reason == ULS_DIVERGED_NANORINF)
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "the step made lambda overflow: try a smaller -uls_step\n"));
  else if (reason == ULS_DIVERGED_LINE_SEARCH || reason == ULS_DIVERGED_TRUST_REGION)
    PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                          "Tao found no lower f: hypergradients may not be accurate enough for it; raise "
                          "-lls_max_it and -hg_ksp_max_it, or use -uls_type descent\n"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A run that was told to end early: what goes on from here, and no results. */
static PetscErrorCode FinishStopped(Run *run, int *code)
{
  char text[256];
  Stopped why;
  PetscLogDouble peak;
  PetscMPIInt rank;
  PetscInt it;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(ULSGetIterationNumber(run->uls, &it));
  PetscCall(StopsTell(run->stops, &why));
  PetscCall(CheckpointsWriteStopped(run->checkpoints, run->uls, run->lambda));
  PetscCall(CliPeakMemory(&peak));
  PetscCall(WriteSummary(run, ULS_STOPPED, &why, peak));
  snprintf(text, sizeof(text),
           "stopped by %s after %lld upper steps, %s%s; the same command with -resume goes on", why.by,
           (long long)it, why.where,
           it == run->first && !why.signal ? ", and no step was made: it needs more time than that" : "");
  PetscCall(CheckpointsMark(run->checkpoints, text));
  if (rank == 0) fprintf(stderr, "twofold: %s\n", text);
  *code = EXIT_RESUBMIT;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Finish(Run *run, int *code)
{
  HG hg;
  ULSConvergedReason reason;
  PetscLogDouble peak;
  PetscInt it;

  PetscFunctionBegin;
  PetscCall(ULSGetConvergedReason(run->uls, &reason));
  PetscCall(ULSGetIterationNumber(run->uls, &it));
  if (reason == ULS_STOPPED) {
    PetscCall(FinishStopped(run, code));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  if (reason > 0) PetscCall(CheckpointsWrite(run->checkpoints, run->uls, run->lambda, NULL));
  PetscCall(WriteSolution(run));
  PetscCall(CliPeakMemory(&peak));
  PetscCall(WriteSummary(run, reason, NULL, peak));
  PetscCall(PrintEnd(run, reason, it, peak));
  PetscCall(ULSGetHG(run->uls, &hg));
  PetscCall(CliPrintChosenStep(hg));
  PetscCall(PrintAdvice(run, reason));
  PetscCall(CliJudge(&run->common, (PetscBool)(reason > 0), ULSConvergedReasons[reason], code));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the command */

/* Whether the problem has what -uls_diagnose_every asks for. */
static PetscErrorCode CheckDiagnostics(const Run *run)
{
  const char *const *names;
  PetscInt n, folds;

  PetscFunctionBegin;
  if (!run->diagnose_every) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(BLPGetDiagnostics(run->blp, &n, &names));
  PetscCall(BLPGetFolds(run->blp, &folds, NULL, NULL, NULL));
  PetscCheck(n > 0 && !folds, PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
             "-uls_diagnose_every %" PetscInt_FMT ": problem %s %s", run->diagnose_every,
             ((PetscObject)run->blp)->type_name,
             n ? "tells nothing of several folds" : "has no numbers to tell beside f");
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The hooks of the solve; and what of its time a checkpoint will take: lambda, its best and two means, w and
   v with what momentum keeps, which is an upper bound. */
static PetscErrorCode SetHooks(Run *run)
{
  PetscInt nlambda, nw;
  HG hg;

  PetscFunctionBegin;
  PetscCall(ULSMonitorSet(run->uls, MonitorStep, run));
  PetscCall(ULSSetStepHook(run->uls, AfterStep, run));
  PetscCall(ULSGetHG(run->uls, &hg));
  PetscCall(HGSetStop(hg, StopsAsk, run->stops));
  if (run->exact) PetscCall(ExactSetStops(run->exact, run->stops));
  PetscCall(BLPGetSizes(run->blp, &nlambda, &nw));
  PetscCall(StopsExpect(run->stops, 8.0 * (4.0 * (double)nlambda + 4.0 * (double)nw)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The solver projects its start; the user is to know where that changes it. */
static PetscErrorCode TellProjection(Run *run)
{
  PetscReal distance;
  LSETType type;
  LSET lset;

  PetscFunctionBegin;
  PetscCall(ULSGetLSET(run->uls, &lset));
  PetscCall(LSETDistance(lset, run->lambda, &distance));
  if (run->first || distance == 0) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(LSETGetType(lset, &type));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                        "the starting lambda is not in the set -lset_type %s, at a distance of %g: it is "
                        "projected\n",
                        type, (double)distance));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PrintEstimate(Run *run)
{
  PetscLogDouble problem, upper, hypergradient;
  HG hg;

  PetscFunctionBegin;
  PetscCall(BLPGetMemory(run->blp, &problem));
  PetscCall(ULSGetMemory(run->uls, &upper));
  PetscCall(ULSGetHG(run->uls, &hg));
  PetscCall(HGGetMemory(hg, &hypergradient));
  if (run->exact) PetscCall(ExactGetMemory(run->exact, &upper));
  PetscCall(CliPrintMemory(problem, upper + hypergradient));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CommandSolve(int *code)
{
  Run run = {0};

  PetscFunctionBegin;
  /* 1. objects and their options */
  PetscCall(ReadOptions(&run));
  PetscCall(CliCreateProblem(&run.common, PETSC_COMM_WORLD, &run.blp));
  PetscCall(ULSCreate(PETSC_COMM_WORLD, &run.uls));
  PetscCall(ULSSetBLP(run.uls, run.blp));
  PetscCall(ULSSetFromOptions(run.uls));
  if (run.eval_exact) PetscCall(ExactCreate(run.blp, &run.exact));
  if (run.common.help) {
    PetscCall(CliHearData());
    PetscCall(CliHelpPrint(run.common.help_all));
    PetscCall(ExactDestroy(&run.exact));
    PetscCall(CheckpointsDestroy(&run.checkpoints));
    PetscCall(StopsDestroy(&run.stops));
    PetscCall(ULSDestroy(&run.uls));
    PetscCall(BLPDestroy(&run.blp));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(CliCheckValues());
  /* 2. data, spaces, solvers; then no option may be left unread */
  PetscCall(BLPSetUp(run.blp));
  PetscCall(ULSSetUp(run.uls));
  if (run.exact) PetscCall(ExactSetUp(run.exact));
  PetscCall(CliCreateLambda(run.blp, &run.lambda));
  PetscCall(CheckDiagnostics(&run));
  PetscCall(BLPHasSet(run.blp, BLP_VAL, &run.has_val));
  PetscCall(BLPHasSet(run.blp, BLP_TEST, &run.has_test));
  PetscCall(CliRefuseUnusedOptions());
  /* 3. the run directory, and where the last run stopped */
  PetscCall(RunDirCreate(run.common.output_dir, PETSC_TRUE, run.resume, &run.dir));
  PetscCall(CheckpointsSetDir(run.checkpoints, run.dir));
  if (run.resume) PetscCall(CheckpointsRead(run.checkpoints, run.uls, run.lambda));
  PetscCall(CheckpointsUnmark(run.checkpoints));
  PetscCall(ULSGetIterationNumber(run.uls, &run.first));
  PetscCall(RunDirWriteOptions(run.dir, "solve"));
  PetscCall(HistoryOpen(run.dir, run.first, &run.history));
  if (run.diagnose_every) PetscCall(DiagnosticsOpen(run.dir, run.blp, run.first, &run.diagnostics));
  if (!run.common.quiet) PetscCall(PrintEstimate(&run));
  PetscCall(TellProjection(&run));
  /* 4. solve */
  PetscCall(SetHooks(&run));
  PetscCall(ULSSolve(run.uls, run.lambda));
  /* 5. results */
  PetscCall(Finish(&run, code));
  PetscCall(CliTableClose(&run.history));
  PetscCall(CliTableClose(&run.diagnostics));
  PetscCall(CheckpointsDestroy(&run.checkpoints));
  PetscCall(StopsDestroy(&run.stops));
  PetscCall(RunDirDestroy(&run.dir));
  PetscCall(VecDestroy(&run.lambda));
  PetscCall(ExactDestroy(&run.exact));
  PetscCall(ULSDestroy(&run.uls));
  PetscCall(BLPDestroy(&run.blp));
  PetscFunctionReturn(PETSC_SUCCESS);
}
