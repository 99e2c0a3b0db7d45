/* tao: all types of Tao on all of the space and on a box against the minimum that long projected descent
   finds; the table is printed and must be the committed one. Accepted states, trials that fail, reasons,
   hooks, checkpoints, refusals. */
#include "files.h"
#include "upper.h"

typedef struct {
  BLP blp;
  Vec start, lambda;
} Case;

static PetscErrorCode CaseCreate(MPI_Comm comm, Case *k)
{
  PetscFunctionBegin;
  PetscCall(UpperProblem(comm, &k->blp));
  PetscCall(BLPCreateVecs(k->blp, &k->start, NULL));
  PetscCall(VecDuplicate(k->start, &k->lambda));
  PetscCall(VecZeroEntries(k->start));
  PetscFunctionReturn(0);
}

static PetscErrorCode CaseDestroy(Case *k)
{
  PetscFunctionBegin;
  PetscCall(VecDestroy(&k->start));
  PetscCall(VecDestroy(&k->lambda));
  PetscCall(BLPDestroy(&k->blp));
  PetscFunctionReturn(0);
}

/* From the start; the reason and the number of steps. */
static PetscErrorCode Solve(Case *k, ULS uls, ULSConvergedReason *reason, PetscInt *it)
{
  PetscFunctionBegin;
  PetscCall(VecCopy(k->start, k->lambda));
  PetscCall(ULSSolve(uls, k->lambda));
  PetscCall(ULSGetConvergedReason(uls, reason));
  PetscCall(ULSGetIterationNumber(uls, it));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ the table of types */

/* f at the minimum, by projected descent; at the start it is far more. */
static PetscErrorCode Reference(Case *k, const char set[], PetscReal *f)
{
  ULSConvergedReason reason;
  PetscInt it;
  ULS uls;

  PetscFunctionBegin;
  PetscCall(UpperStart(k->blp, exact, set, "-uls_step 60 -uls_momentum 0.8 -uls_max_it 1000 -uls_gatol 1e-7",
                       &uls));
  PetscCall(Solve(k, uls, &reason, &it));
  CHECK(reason == ULS_CONVERGED_GATOL, "descent ended by %s after %d steps", ULSConvergedReasons[reason],
        (int)it);
  PetscCall(ULSGetObjective(uls, f));
  PetscCall(ULSDestroy(&uls));
  PetscFunctionReturn(0);
}

/* What a run of a type came to. */
static PetscErrorCode Verdict(Case *k, ULS uls, PetscReal f_least, char text[], size_t len)
{
  ULSConvergedReason reason;
  PetscReal f;
  PetscInt it;

  PetscFunctionBegin;
  PetscCall(Solve(k, uls, &reason, &it));
  PetscCall(ULSGetObjective(uls, &f));
  if (reason < 0)
    PetscCall(PetscSNPrintf(text, len, "ended by %s", ULSConvergedReasons[reason]));
  else if (PetscAbsReal(f - f_least) > 1e-7)
    PetscCall(PetscSNPrintf(text, len, "f is off by %.1e", (double)(f - f_least)));
  else
    PetscCall(PetscStrncpy(text, "pass", len));
  PetscFunctionReturn(0);
}

static PetscErrorCode Row(Case *k, const char type[], const char set[], const char options[], PetscReal f,
                          char table[], size_t len)
{
  char text[512], message[2048] = "", line[1024];
  PetscBool owlqn;
  ULS uls;

  PetscFunctionBegin;
  PetscCall(PetscStrcmp(type, TAOOWLQN, &owlqn));
  PetscCall(PetscSNPrintf(text, sizeof(text),
                          "-uls_type tao -uls_tao_type %s -uls_max_it 500 -uls_gatol 1e-5 %s", type,
                          owlqn ? "-uls_tao_owlqn_lambda 0" : ""));
  PetscCall(PetscPushErrorHandler(KeepMessage, message));
  const int refused = (int)UpperStart(k->blp, exact, options, text, &uls);
  PetscCall(PetscPopErrorHandler());
  CHECK(!refused || refused == PETSC_ERR_SUP, "%s: error %d, %s", type, refused, message);
  if (refused)
    PetscCall(PetscSNPrintf(text, sizeof(text), "refused: %s", message));
  else
    PetscCall(Verdict(k, uls, f, text, sizeof(text)));
  PetscCall(PetscSNPrintf(line, sizeof(line), "%-8s %-4s %s\n", type, set, text));
  PetscCall(PetscStrlcat(table, line, len));
  PetscCall(ULSDestroy(&uls));
  PetscFunctionReturn(0);
}

static PetscErrorCode Table(Case *k)
{
  const PetscScalar near[UPPER_P] = {-0.9, 0.1, 0.3};
  const size_t len = 32768;
  const char *const names[] = {"free", "box"}, *const sets[] = {"", box};
  const char **types;
  char *table, *committed, *body;
  int n;
  size_t size;

  PetscFunctionBegin;
  PetscCall(TaoInitializePackage());
  PetscCall(PetscFunctionListGet(TaoList, &types, &n));
  PetscCall(PetscCalloc1(len, &table));
  PetscCall(VecFill(k->start, near));
  for (int s = 0; s < 2; s++) {
    PetscReal f;
    PetscCall(Reference(k, sets[s], &f));
    for (int i = 0; i < n && types[i]; i++) PetscCall(Row(k, types[i], names[s], sets[s], f, table, len));
  }
  PetscCall(PetscPrintf(TEST_COMM, "%s", table));
  PetscCall(FileRead(TWOFOLD_TAOS, &committed, &size));
  body = committed;
  while (*body == '#') body = strchr(body, '\n') + 1; /* comments on top */
  CHECK(!strcmp(body, table), "the table is not that of %s, which reads\n%s", TWOFOLD_TAOS, body);
  PetscCall(VecZeroEntries(k->start));
  PetscCall(PetscFree(committed));
  PetscCall(PetscFree(table));
  PetscCall(PetscFree(types));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ the conditions of optimality */

/* g at x by central differences of f, which a solver of its own evaluates. */
static PetscErrorCode DifferenceGradient(Case *k, const PetscScalar x[], PetscReal g[])
{
  const PetscReal h = 1e-4;
  PetscScalar at[UPPER_P];
  PetscReal f[2];
  HG hg;

  PetscFunctionBegin;
  PetscCall(HGMake(k->blp, NULL, exact, &hg));
  for (int j = 0; j < UPPER_P; j++) {
    for (int side = 0; side < 2; side++) {
      PetscCall(PetscArraycpy(at, x, UPPER_P));
      at[j] += side ? h : -h;
      PetscCall(VecFill(k->lambda, at));
      PetscCall(HGEvaluate(hg, k->lambda, &f[side]));
    }
    g[j] = (f[1] - f[0]) / (2 * h);
  }
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

/* Karush, Kuhn, Tucker on the box [-1, 0.4]: g >= 0 at a lower bound, <= 0 at an upper one, else 0. */
static PetscErrorCode Optimality(Case *k)
{
  const PetscReal lower = -1, upper = 0.4, tol = 2e-7;
  ULSConvergedReason reason;
  PetscInt it, active = 0;
  PetscScalar x[UPPER_P];
  PetscReal g[UPPER_P];
  ULS uls;
  Tao tao;
  TaoType type;

  PetscFunctionBegin;
  PetscCall(UpperStart(k->blp, exact, box, "-uls_type tao -uls_max_it 100 -uls_gatol 1e-7", &uls));
  PetscCall(ULSGetTao(uls, &tao));
  PetscCall(TaoGetType(tao, &type));
  CHECK(!strcmp(type, TAOBLMVM), "the type by default on a box is %s", type);
  PetscCall(Solve(k, uls, &reason, &it));
  CHECK(reason == ULS_CONVERGED_GATOL, "ended by %s", ULSConvergedReasons[reason]);
  PetscCall(VecGather(k->lambda, x));
  PetscCall(DifferenceGradient(k, x, g));
  for (int j = 0; j < UPPER_P; j++) {
    CHECK(x[j] >= lower && x[j] <= upper, "lambda[%d] %g is outside", j, x[j]);
    const PetscBool low = (PetscBool)(x[j] == lower), high = (PetscBool)(x[j] == upper);
    CHECK(low    ? g[j] > 1e-4
          : high ? g[j] < -1e-4
                 : PetscAbsReal(g[j]) <= tol,
          "lambda[%d] %g, g %g", j, x[j], g[j]);
    active += low || high;
  }
  CHECK(active == 2, "%d bounds are active", (int)active);
  PetscCall(ULSDestroy(&uls));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ accepted states */

enum { ROWS = 64 };

typedef struct {
  PetscInt n;
  PetscReal f[ROWS], norm[ROWS], projected[ROWS];
  PetscScalar lambda[ROWS][UPPER_P];
  PetscInt64 lower[ROWS], evaluations[ROWS];
} Rows;

static PetscErrorCode Watch(ULS uls, const ULSPoint *point, void *ctx)
{
  Rows *rows = (Rows *)ctx;

  PetscFunctionBegin;
  (void)uls;
  CHECK(point->it < ROWS && point->g, "point %d has no gradient", (int)point->it);
  rows->f[point->it] = point->f;
  rows->norm[point->it] = point->hg.norm;
  rows->projected[point->it] = point->projected_norm;
  rows->lower[point->it] = point->total_lower_its;
  rows->evaluations[point->it] = point->evaluations;
  PetscCall(VecGather(point->lambda, rows->lambda[point->it]));
  rows->n++;
  PetscFunctionReturn(0);
}

/* Counts the steps of the lower level. */
static PetscErrorCode CountSteps(LLS lls, PetscInt i, PetscReal change, void *ctx)
{
  PetscFunctionBegin;
  (void)lls;
  (void)i;
  (void)change;
  ++*(PetscInt64 *)ctx;
  PetscFunctionReturn(0);
}

/* The accepted points, one after the other by hand, each from the states of the one before: f and g of the
   run are these only if none of its trials was taken as a start. */
static PetscErrorCode ByHand(Case *k, const char method[], const Rows *rows)
{
  PetscReal f, norm;
  Vec g;
  HG hg;

  PetscFunctionBegin;
  PetscCall(HGMake(k->blp, NULL, method, &hg));
  PetscCall(VecDuplicate(k->lambda, &g));
  for (PetscInt i = 0; i < rows->n; i++) {
    PetscCall(VecFill(k->lambda, rows->lambda[i]));
    PetscCall(HGSolve(hg, k->lambda, &f, g));
    PetscCall(HGAccept(hg));
    PetscCall(VecNorm(g, NORM_2, &norm));
    CHECK_CLOSE(rows->f[i], f, 1e-12, "f of an accepted point");
    CHECK_CLOSE(rows->norm[i], norm, 1e-11, "||g|| of an accepted point");
  }
  PetscCall(VecDestroy(&g));
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

static PetscErrorCode Accepted(Case *k, const char type[], PetscBool trials)
{
  /* few steps, so that it shows where they began; a search that cannot be done with its first trial */
  const char *const method = "-lls_max_it 40 -lls_fpm_type heavyball -lls_fpm_step 0.5 -lls_fpm_momentum 0.7 "
                             "-lls_warm_start -hg_warm_start -hg_ksp_rtol 0 -hg_ksp_max_it 6";
  char text[256];
  Rows rows = {0};
  PetscInt64 steps = 0;
  ULSConvergedReason reason;
  PetscInt it;
  ULS uls;
  HG hg;
  LLS lls;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(text, sizeof(text), "-uls_type tao -uls_tao_type %s -uls_max_it 7", type));
  PetscCall(UpperStart(k->blp, method, "", text, &uls));
  PetscCall(ULSMonitorSet(uls, Watch, &rows));
  PetscCall(ULSGetHG(uls, &hg));
  PetscCall(HGGetLLS(hg, &lls));
  PetscCall(LLSMonitorSet(lls, CountSteps, &steps));
  PetscCall(Solve(k, uls, &reason, &it));
  CHECK(reason == ULS_CONVERGED_ITS || reason == ULS_DIVERGED_LINE_SEARCH ||
            reason == ULS_DIVERGED_TRUST_REGION,
        "%s ended by %s", type, ULSConvergedReasons[reason]);
  CHECK(it >= 3 && rows.n == it + 1, "%s: %d steps, %d points", type, (int)it, (int)rows.n);
  const PetscInt64 last = rows.evaluations[it];
  CHECK(!trials || last > rows.n, "%s made %d points without a trial", type, (int)last);
  CHECK(rows.lower[it] == 40 * last, "%s: %d steps for %d points", type, (int)rows.lower[it], (int)last);
  PetscInt64 work, evaluations;
  PetscCall(ULSGetWork(uls, &work, NULL, &evaluations));
  CHECK(work == steps && work == 40 * evaluations, "%s: %d steps, counted %d", type, (int)steps, (int)work);
  PetscCall(ULSDestroy(&uls));
  PetscCall(ByHand(k, method, &rows));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ trials that fail, and reasons */

/* From here the first trial of lmvm is so long that the lower level diverges. */
static PetscErrorCode FailingTrials(Case *k)
{
  const char *const short_reach = "-hg_type itd -lls_max_it 12 -lls_fpm_step 1.5";
  Rows rows = {0};
  ULSConvergedReason reason;
  PetscReal f, norm;
  PetscInt it;
  Vec g;
  HG hg;
  ULS uls;

  PetscFunctionBegin;
  PetscCall(VecSet(k->start, -3));
  PetscCall(VecDuplicate(k->start, &g));
  PetscCall(HGMake(k->blp, NULL, short_reach, &hg));
  PetscCall(HGSolve(hg, k->start, &f, g));
  PetscCall(VecNorm(g, NORM_2, &norm));
  PetscCall(VecWAXPY(k->lambda, -2 * f / (norm * norm), g, k->start)); /* where lmvm looks first */
  PetscCall(HGSolve(hg, k->lambda, &f, g));
  PetscCall(HGGetReport(hg, &(HGReport){0}));
  CHECK(PetscIsInfOrNanReal(f), "the first trial does not fail: f %g", f);
  PetscCall(HGDestroy(&hg));
  PetscCall(VecDestroy(&g));

  PetscCall(UpperStart(k->blp, short_reach, "",
                       "-uls_type tao -uls_tao_type lmvm -uls_max_it 12 -uls_gatol 1e-5", &uls));
  PetscCall(ULSMonitorSet(uls, Watch, &rows));
  PetscCall(Solve(k, uls, &reason, &it));
  CHECK(reason > 0 && it >= 3, "ended by %s after %d steps", ULSConvergedReasons[reason], (int)it);
  CHECK(rows.evaluations[1] > 2, "no trial was rejected");
  for (PetscInt i = 1; i <= it; i++)
    CHECK(rows.f[i] < rows.f[i - 1], "f of point %d is %g after %g", (int)i, rows.f[i], rows.f[i - 1]);
  PetscCall(ULSDestroy(&uls));

  /* a line search that takes what it is given must not get past it */
  PetscCall(
      UpperStart(k->blp, short_reach, "", "-uls_type tao -uls_tao_type lmvm -uls_tao_ls_type unit", &uls));
  PetscCall(Solve(k, uls, &reason, &it));
  CHECK(reason == ULS_DIVERGED_HYPERGRADIENT || reason == ULS_DIVERGED_LINE_SEARCH, "unit steps: %s after %d",
        ULSConvergedReasons[reason], (int)it);
  PetscCall(ULSDestroy(&uls));

  /* nor is anything left where one trial is all a search may make: back at the accepted point, w too */
  rows = (Rows){0};
  PetscCall(
      UpperStart(k->blp, short_reach, "", "-uls_type tao -uls_tao_type lmvm -uls_tao_ls_max_funcs 1", &uls));
  PetscCall(ULSMonitorSet(uls, Watch, &rows));
  PetscCall(Solve(k, uls, &reason, &it));
  CHECK(reason == ULS_DIVERGED_LINE_SEARCH && it == 0, "one trial: %s after %d", ULSConvergedReasons[reason],
        (int)it);
  PetscCall(ULSGetObjective(uls, &f));
  CHECK(f == rows.f[0], "f %.17g at the end, %.17g at the accepted point", f, rows.f[0]);
  PetscCall(ULSGetHG(uls, &hg));
  State x;
  BLPMetrics metrics;
  PetscCall(HGGetState(hg, &x));
  PetscCall(BLPEvaluate(k->blp, BLP_VAL, k->lambda, x->v[0], &metrics));
  CHECK_CLOSE(metrics.loss, f, 1e-12, "loss of the w that was left");
  PetscCall(ULSDestroy(&uls));

  /* at the first point already */
  PetscCall(UpperStart(k->blp, "-lls_max_it 5 -lls_fpm_step 1e200", "", "-uls_type tao", &uls));
  PetscCall(Solve(k, uls, &reason, &it));
  CHECK(reason == ULS_DIVERGED_HYPERGRADIENT && it == 0, "first point: %s after %d",
        ULSConvergedReasons[reason], (int)it);
  PetscCall(ULSDestroy(&uls));
  PetscCall(VecZeroEntries(k->start));
  PetscFunctionReturn(0);
}

/* Options, the reason they end with, and the number of steps where it is known (else -1). */
static PetscErrorCode Reasons(Case *k)
{
  const struct {
    const char *options;
    ULSConvergedReason reason;
    PetscInt steps;
  } runs[] = {{"-uls_max_it 0", ULS_CONVERGED_ITS, 0},
              {"-uls_max_it 3", ULS_CONVERGED_ITS, 3},
              {"-uls_tao_type owlqn -uls_tao_owlqn_lambda 0 -uls_max_it 3", ULS_CONVERGED_ITS, 3},
              {"-uls_gatol 1e-4", ULS_CONVERGED_GATOL, -1},
              {"-uls_tao_gatol 1e-4", ULS_CONVERGED_GATOL, -1},
              {"-uls_tao_grtol 1e-3", ULS_CONVERGED_GRTOL, -1},
              {"-uls_tao_gttol 1e-1", ULS_CONVERGED_GTTOL, -1},
              {"-uls_tao_fmin 10", ULS_CONVERGED_MINF, 0},
              {"-uls_tao_max_funcs 3", ULS_DIVERGED_MAXFCN, -1},
              {"-uls_tao_type bqnktr -uls_tao_steptol 1e10", ULS_CONVERGED_STEPTOL, -1}};
  ULSConvergedReason reason;
  char text[256];
  PetscInt it;
  ULS uls;

  PetscFunctionBegin;
  for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
    PetscCall(PetscSNPrintf(text, sizeof(text), "-uls_type tao %s", runs[i].options));
    PetscCall(UpperStart(k->blp, exact, "", text, &uls));
    PetscCall(Solve(k, uls, &reason, &it));
    CHECK(reason == runs[i].reason && (runs[i].steps < 0 || it == runs[i].steps),
          "%s ended by %s after %d steps", runs[i].options, ULSConvergedReasons[reason], (int)it);
    PetscCall(ULSDestroy(&uls));
  }
  /* a tolerance that is missed */
  const char *const missed = "-lls_max_it 6 -lls_fpm_step 0.4 -lls_rtol 1e-9";
  PetscCall(UpperStart(k->blp, missed, "", "-uls_type tao -uls_on_inexact stop", &uls));
  PetscCall(Solve(k, uls, &reason, &it));
  CHECK(reason == ULS_DIVERGED_INEXACT && it == 0, "ended by %s after %d", ULSConvergedReasons[reason],
        (int)it);
  PetscCall(ULSDestroy(&uls));
  PetscCall(UpperStart(k->blp, missed, "", "-uls_type tao -uls_max_it 2", &uls));
  PetscCall(Solve(k, uls, &reason, &it));
  CHECK(reason == ULS_CONVERGED_ITS && it == 2, "ended by %s after %d", ULSConvergedReasons[reason], (int)it);
  PetscCall(ULSDestroy(&uls));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ hooks and checkpoints */

typedef struct {
  PetscInt calls, stop_at;
  Case *k;
  const char *path; /* where to save at stop_at, NULL not to */
} Hook;

static PetscErrorCode AfterStep(ULS uls, PetscInt it, PetscBool *stop, void *ctx)
{
  Hook *hook = (Hook *)ctx;

  PetscFunctionBegin;
  hook->calls++;
  CHECK(hook->calls == it, "call %d after step %d", (int)hook->calls, (int)it);
  *stop = (PetscBool)(it == hook->stop_at);
  if (*stop && hook->path) PetscCall(UpperSave(uls, hook->k->lambda, hook->path));
  PetscFunctionReturn(0);
}

static PetscErrorCode LowerStop(void *ctx, PetscInt i, PetscBool *stop)
{
  PetscInt *left = (PetscInt *)ctx;

  PetscFunctionBegin;
  (void)i;
  *stop = (PetscBool)(--*left <= 0);
  PetscFunctionReturn(0);
}

/* Stopped below, within a trial: the run ends at the accepted point. */
static PetscErrorCode StopBelow(Case *k)
{
  ULSConvergedReason reason;
  PetscInt it, left = 2 * 5 + 2; /* 5 calls a solve: within the third */
  Rows rows = {0};
  PetscReal far;
  ULS uls;
  HG hg;
  LLS lls;

  PetscFunctionBegin;
  PetscCall(UpperStart(k->blp, "-lls_max_it 6 -lls_fpm_step 0.4 -hg_ksp_rtol 0 -hg_ksp_max_it 3", "",
                       "-uls_type tao", &uls));
  PetscCall(ULSMonitorSet(uls, Watch, &rows));
  PetscCall(ULSGetHG(uls, &hg));
  PetscCall(HGGetLLS(hg, &lls));
  PetscCall(LLSSetStop(lls, LowerStop, &left));
  PetscCall(Solve(k, uls, &reason, &it));
  CHECK(reason == ULS_STOPPED && rows.n == it + 1, "ended by %s at point %d of %d",
        ULSConvergedReasons[reason], (int)it, (int)rows.n);
  PetscCall(VecDifference(k->lambda, rows.lambda[it], &far));
  CHECK(far == 0, "lambda is %g away from the accepted point", far);
  PetscCall(ULSDestroy(&uls));
  PetscFunctionReturn(0);
}

/* Stopped by the hook after 2 steps, saved there and gone on with: the memory is lost, nothing else. */
static PetscErrorCode Resume(Case *k, const char method[], const char limit[], ULSConvergedReason expected)
{
  char solver[128];
  char folder[PETSC_MAX_PATH_LEN], path[PETSC_MAX_PATH_LEN];
  Hook hook = {0, 2, k, path};
  ULSConvergedReason reason;
  Rows rows = {0}, more = {0};
  PetscScalar at[UPPER_P], end[UPPER_P];
  PetscReal far, f, best;
  PetscInt it, best_it;
  ULS uls;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(solver, sizeof(solver), "-uls_type tao -uls_tao_type blmvm %s", limit));
  PetscCall(FolderCreate(folder));
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/checkpoint.h5", folder));
  PetscCall(UpperStart(k->blp, method, box, solver, &uls));
  PetscCall(ULSMonitorSet(uls, Watch, &rows));
  PetscCall(Solve(k, uls, &reason, &it));
  CHECK(reason == expected && it > 2, "ended by %s after %d", ULSConvergedReasons[reason], (int)it);
  PetscCall(VecGather(k->lambda, end));
  PetscCall(ULSDestroy(&uls));

  PetscCall(UpperStart(k->blp, method, box, solver, &uls));
  PetscCall(ULSSetStepHook(uls, AfterStep, &hook));
  PetscCall(Solve(k, uls, &reason, &it));
  CHECK(reason == ULS_STOPPED && it == 2 && hook.calls == 2, "%s after %d", ULSConvergedReasons[reason],
        (int)it);
  PetscCall(VecGather(k->lambda, at));
  PetscCall(VecDifference(k->lambda, rows.lambda[2], &far));
  CHECK(far == 0, "the stopped run is %g away from the other", far);
  PetscCall(ULSDestroy(&uls));

  PetscCall(UpperStart(k->blp, method, box, solver, &uls));
  PetscCall(ULSMonitorSet(uls, Watch, &more));
  PetscCall(VecSet(k->lambda, 99));
  PetscCall(UpperRestore(uls, k->lambda, path));
  PetscCall(VecDifference(k->lambda, at, &far));
  CHECK(far == 0, "the restored lambda is %g away", far);
  PetscCall(ULSGetBest(uls, NULL, &best, &best_it));
  CHECK(best_it == 2 && best == rows.f[2], "restored best %.17g of point %d", best, (int)best_it);
  PetscCall(ULSSolve(uls, k->lambda));
  PetscCall(ULSGetConvergedReason(uls, &reason));
  PetscCall(ULSGetIterationNumber(uls, &it));
  CHECK(reason == expected && it > 2, "gone on: %s at %d", ULSConvergedReasons[reason], (int)it);
  CHECK(more.n == it - 2 + 1, "%d points after the restart", (int)more.n);
  CHECK(more.evaluations[2] == rows.evaluations[2] + 1, "the counter went from %d to %d",
        (int)rows.evaluations[2], (int)more.evaluations[2]);
  CHECK_CLOSE(more.f[2], rows.f[2], 1e-11, "f at the restart");
  PetscCall(VecDifference(k->lambda, end, &far));
  CHECK(expected == ULS_CONVERGED_ITS || far <= 1e-3, "the end is %g away from that of the whole run", far);
  PetscCall(ULSGetObjective(uls, &f));
  PetscCall(ULSGetBest(uls, NULL, &best, NULL));
  CHECK(best <= f && f - best <= 1e-9, "best %g, last %g", best, f);
  PetscCall(ULSDestroy(&uls));
  PetscCall(FolderRemove(folder));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ settings and communicators */

static PetscErrorCode Refused(Case *k, const char set[], const char options[], int code, const char says[])
{
  char message[2048] = "";
  ULS uls;

  PetscFunctionBegin;
  PetscCall(PetscPushErrorHandler(KeepMessage, message));
  const int raised = (int)UpperStart(k->blp, exact, set, options, &uls);
  PetscCall(PetscPopErrorHandler());
  CHECK(raised == code && strstr(message, says), "%s %s raised %d: %s", set, options, raised, message);
  PetscCall(ULSDestroy(&uls));
  PetscFunctionReturn(0);
}

static PetscErrorCode Refusals(Case *k)
{
  ULS uls;
  Tao tao;

  PetscFunctionBegin;
  PetscCall(Refused(k, "", "-uls_type tao -uls_tao_type blmvn", PETSC_ERR_ARG_UNKNOWN_TYPE, "blmvm?"));
  PetscCall(Refused(k, "", "-uls_type tao -uls_tao_type owlqn", PETSC_ERR_SUP, "-uls_tao_owlqn_lambda 0"));
  PetscCall(Refused(k, "", "-uls_type tao -uls_tao_max_it 5", PETSC_ERR_ARG_INCOMP, "-uls_max_it"));
  PetscCall(Refused(k, "-lset_type simplex", "-uls_type tao", PETSC_ERR_SUP, "-uls_type descent"));
  PetscCall(UpperStart(k->blp, exact, "", "-uls_type descent", &uls));
  CHECK_RAISES(PETSC_ERR_ARG_WRONG, ULSGetTao(uls, &tao));
  /* a type that is given to Tao itself */
  PetscCall(ULSSetType(uls, ULSTAO));
  PetscCall(ULSGetTao(uls, &tao));
  PetscCall(TaoSetType(tao, TAONLS));
  CHECK_RAISES(PETSC_ERR_SUP, ULSSetUp(uls));
  PetscCall(ULSDestroy(&uls));
  /* a set that is given after the options were read, to another type by default */
  LSET lset;
  TaoType type;
  PetscCall(ULSCreate(TEST_COMM, &uls));
  PetscCall(ULSSetBLP(uls, k->blp));
  PetscCall(ULSSetType(uls, ULSTAO));
  PetscCall(ULSSetFromOptions(uls));
  PetscCall(ULSGetLSET(uls, &lset));
  PetscCall(LSETSetType(lset, LSETNONNEG));
  PetscCall(ULSSetUp(uls));
  PetscCall(ULSGetTao(uls, &tao));
  PetscCall(TaoGetType(tao, &type));
  CHECK(!strcmp(type, TAOBLMVM), "on nonneg the type is %s", type);
  PetscCall(ULSDestroy(&uls));
  PetscFunctionReturn(0);
}

/* The same numbers on halves of the ranks, and after another problem has been solved by the same objects. */
static PetscErrorCode Split(void)
{
  const char *const solver = "-uls_type tao -uls_max_it 4";
  PetscMPIInt rank;
  MPI_Comm half;
  Case whole, part;
  ULSConvergedReason reason;
  PetscReal f, f_part;
  PetscInt it;
  ULS uls;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(TEST_COMM, &rank));
  PetscCallMPI(MPI_Comm_split(TEST_COMM, rank % 2, rank, &half));
  PetscCall(CaseCreate(TEST_COMM, &whole));
  PetscCall(UpperStart(whole.blp, exact, box, solver, &uls));
  PetscCall(Solve(&whole, uls, &reason, &it));
  PetscCall(ULSGetObjective(uls, &f));
  PetscCall(ULSDestroy(&uls));
  PetscCall(CaseCreate(half, &part));
  PetscCall(UpperStart(part.blp, exact, box, solver, &uls));
  for (int again = 0; again < 2; again++) {
    PetscCall(Solve(&part, uls, &reason, &it));
    PetscCall(ULSGetObjective(uls, &f_part));
    CHECK(it == 4 && PetscAbsReal(f_part - f) <= 1e-11 * f, "f %.17g on half the ranks instead of %.17g",
          f_part, f);
    PetscCall(ULSSetBLP(uls, part.blp));
  }
  PetscCall(ULSDestroy(&uls));
  PetscCall(CaseDestroy(&part));
  PetscCall(CaseDestroy(&whole));
  PetscCallMPI(MPI_Comm_free(&half));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const char *const warm = "-lls_max_it 3000 -lls_rtol 1e-12 -lls_fpm_type heavyball -lls_fpm_step 1.5 "
                           "-lls_fpm_momentum 0.55 -hg_ksp_rtol 1e-12 -lls_warm_start -hg_warm_start";
  Case k;

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(CaseCreate(TEST_COMM, &k));
  PetscCall(Table(&k));
  PetscCall(Optimality(&k));
  PetscCall(Accepted(&k, TAOLMVM, PETSC_TRUE));
  PetscCall(Accepted(&k, TAOBLMVM, PETSC_TRUE));
  PetscCall(Accepted(&k, TAOBQNKTR, PETSC_FALSE));
  PetscCall(Accepted(&k, TAONM, PETSC_TRUE));
  PetscCall(FailingTrials(&k));
  PetscCall(Reasons(&k));
  PetscCall(StopBelow(&k));
  PetscCall(Resume(&k, exact, "-uls_max_it 100 -uls_gatol 1e-6", ULS_CONVERGED_GATOL));
  PetscCall(Resume(&k, warm, "-uls_max_it 3", ULS_CONVERGED_ITS));
  PetscCall(Refusals(&k));
  PetscCall(CaseDestroy(&k));
  PetscCall(Split());
  PetscCall(TestFinalize());
  return 0;
}
