/* twofold contraction: the constants and rates of the lower level along its iteration, by formula and by
   computation at the iterates. */
#include <math.h>
#include <petsctime.h>
#include "cli.h"

enum { MAX_POINTS = 64, MAX_ROWS = 24, FORMULA = 0, COMPUTED = 1 };

typedef struct {
  char name[96], key[64]; /* for people, and in the summary */
  TwofoldConstant c;
} Row;

/* What is optimal for one pair of constants; NaN where nothing is. */
typedef struct {
  PetscReal alpha, beta, radius;
} Optimal;

static const struct {
  FPMMethod method;
  const char *name;
} methods[] = {{FPM_METHOD_GD, "gd"}, {FPM_METHOD_HEAVYBALL, "heavyball"}, {FPM_METHOD_NESTEROV, "nesterov"}};
enum { NMETHODS = sizeof(methods) / sizeof(methods[0]) };

/* An iterate and what was found there. */
typedef struct {
  PetscInt t;
  LLSConvergedReason reason;
  char map[512];
  Row row[MAX_ROWS];
  PetscInt nrows;
  Optimal optimal[NMETHODS][2];
  PetscLogDouble time;
} Point;

typedef struct {
  CliCommon common;
  PetscBool check;
  PetscInt *at, nat;
  TwofoldSpectral how, norms; /* of eigenvalues, of singular values */
  BLP blp;
  HG hg;
  LLS lls;
  FPM fpm, adjoint; /* adjoint: aid's, or NULL */
  Vec lambda;
  State x;
  Point *point;
  PetscInt npoints;
} Run;

/* ------------------------------------------------------------------ options */

static PetscErrorCode ReadOptions(Run *run)
{
  char text[512] = "";
  PetscReal tol = 1e-4; /* no bound from outside shortens these: see TwofoldEigenvalue() */

  PetscFunctionBegin;
  PetscCall(CliCommonFromOptions(&run->common, ""));
  PetscCall(CliLambdaOptions());
  PetscOptionsBegin(PETSC_COMM_WORLD, NULL, "Program options: contraction", "twofold");
  PetscCall(PetscOptionsString(
      "-contraction_at", "Steps to look after, in place of -lls_max_it alone: T1,T2,... or FIRST:LAST:STRIDE",
      "twofold", text, text, sizeof(text), NULL));
  PetscCall(PetscOptionsBool("-contraction_check",
                             "Also the spectral radius by a non-Hermitian solve (small problems)", "twofold",
                             run->check, &run->check, NULL));
  PetscCall(PetscOptionsReal("-contraction_norm_tol", "As -contraction_tol, of ||d1Phi|| and ||d2Phi||",
                             "twofold", tol, &tol, NULL));
  PetscOptionsEnd();
  PetscCheck(tol > 0 && tol < 1, PETSC_COMM_WORLD, PETSC_ERR_ARG_OUTOFRANGE,
             "-contraction_norm_tol %g: must be in (0, 1)", (double)tol);
  if (text[0]) PetscCall(CliParseSteps("-contraction_at", text, MAX_POINTS, &run->at, &run->nat));
  PetscCall(BoundSetDefaults(&run->how));
  PetscCall(BoundSetFromOptions(PETSC_COMM_WORLD, "contraction_", &run->how));
  run->norms = run->how;
  run->norms.tol = tol;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ at an iterate */

static TwofoldConstant *AddRow(Point *point, const char name[], const char key[])
{
  Row *const row = &point->row[point->nrows++];

  snprintf(row->name, sizeof(row->name), "%s", name);
  snprintf(row->key, sizeof(row->key), "%s", key);
  return &row->c;
}

/* Rows of both kinds of constants, one below the other. */
static PetscErrorCode AddRadius(Point *point, FPM fpm, FPMMethod method, const char name[], const char key[],
                                const TwofoldConstant L[2], const TwofoldConstant mu[2])
{
  const char *const kinds[] = {"formula", "computed"};
  PetscReal alpha, beta;
  char full[64];

  PetscFunctionBegin;
  PetscCall(FPMGetStep(fpm, &alpha));
  PetscCall(FPMGetMomentum(fpm, &beta));
  for (int kind = 0; kind < 2; kind++) {
    PetscCall(PetscSNPrintf(full, sizeof(full), "%s_%s", key, kinds[kind]));
    PetscCall(BoundSpectralRadius(method, alpha, beta, &mu[kind], &L[kind], AddRow(point, name, full)));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FindConstants(Run *run, Point *point, TwofoldConstant L[2], TwofoldConstant mu[2])
{
  const TwofoldConstant none = {.value = NAN, .error = NAN, .origin = "the map is not made from a loss"};
  FPMMethod method;

  PetscFunctionBegin;
  L[COMPUTED] = mu[COMPUTED] = none;
  PetscCall(FPMGetMethod(run->fpm, &method));
  PetscCall(BLPGetSmoothness(run->blp, run->lambda, &L[FORMULA]));
  PetscCall(BLPGetStrongConvexity(run->blp, run->lambda, &mu[FORMULA]));
  if (method != FPM_METHOD_OTHER)
    PetscCall(BoundHessian(run->blp, run->lambda, run->x->v[0], &run->how, &L[COMPUTED], &mu[COMPUTED]));
  *AddRow(point, "L", "L_formula") = L[FORMULA];
  *AddRow(point, "L", "L_computed") = L[COMPUTED];
  *AddRow(point, "mu", "mu_formula") = mu[FORMULA];
  *AddRow(point, "mu", "mu_computed") = mu[COMPUTED];
  for (int kind = 0; kind < 2; kind++)
    PetscCall(BoundConditionNumber(
        &mu[kind], &L[kind], AddRow(point, "kappa", kind == FORMULA ? "kappa_formula" : "kappa_computed")));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FindRates(Run *run, Point *point, const TwofoldConstant L[2],
                                const TwofoldConstant mu[2])
{
  char name[96];
  FPMMethod method;
  FPMType type;

  PetscFunctionBegin;
  PetscCall(FPMGetMethod(run->fpm, &method));
  PetscCall(FPMGetType(run->fpm, &type));
  if (method != FPM_METHOD_OTHER)
    PetscCall(AddRadius(point, run->fpm, FPM_METHOD_GD, "q of gd at this step", "q_gd", L, mu));
  PetscCall(PetscSNPrintf(name, sizeof(name), "spectral radius of %s", type));
  if (method != FPM_METHOD_GD) PetscCall(AddRadius(point, run->fpm, method, name, "radius", L, mu));
  if (run->check)
    PetscCall(BoundMapRadius(run->fpm, run->lambda, run->x, &run->how, AddRow(point, name, "radius_eigen")));
  if (!run->adjoint) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(BoundProvideConstants(run->adjoint, run->lambda, run->x->v[0], &run->how));
  PetscCall(FPMPrepare(run->adjoint, run->lambda));
  PetscCall(FPMGetMethod(run->adjoint, &method));
  PetscCall(FPMGetType(run->adjoint, &type));
  PetscCall(PetscSNPrintf(name, sizeof(name), "adjoint's map %s", type));
  PetscCall(AddRadius(point, run->adjoint, method, name, "adjoint_radius", L, mu));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Step and momentum that are best for these constants, and the rate they give. */
static PetscErrorCode FindOptimal(FPMMethod method, const TwofoldConstant *L, const TwofoldConstant *mu,
                                  Optimal *o)
{
  TwofoldConstant least = *mu, radius; /* as a map chooses its step */

  PetscFunctionBegin;
  *o = (Optimal){NAN, NAN, NAN};
  if (!L->standing || !(L->value > 0) || PetscIsInfReal(L->value)) PetscFunctionReturn(PETSC_SUCCESS);
  least.value = mu->standing && mu->value > mu->error ? PetscMin(mu->value - mu->error, L->value) : 0;
  if (!mu->standing) least.standing = TWOFOLD_PROVED; /* 0 is */
  if (least.value == 0 && method != FPM_METHOD_GD) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(FPMOptimalConstants(method, least.value, L->value, &o->alpha, &o->beta));
  PetscCall(BoundSpectralRadius(method, o->alpha, o->beta, &least, L, &radius));
  o->radius = radius.value;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Look(Run *run, Point *point)
{
  TwofoldConstant L[2], mu[2];
  PetscLogDouble begin, end;

  PetscFunctionBegin;
  PetscCall(PetscTime(&begin));
  PetscCall(CliDescribeMap(run->fpm, point->map, sizeof(point->map)));
  PetscCall(FindConstants(run, point, L, mu));
  PetscCall(FindRates(run, point, L, mu));
  PetscCall(
      BoundMapNorm(run->fpm, run->lambda, run->x, &run->norms, AddRow(point, "||d1Phi||", "d1Phi_norm")));
  PetscCall(BoundParameterNorm(run->fpm, run->lambda, run->x, &run->norms,
                               AddRow(point, "||d2Phi||", "d2Phi_norm")));
  for (int m = 0; m < NMETHODS; m++)
    for (int kind = 0; kind < 2; kind++)
      PetscCall(FindOptimal(methods[m].method, &L[kind], &mu[kind], &point->optimal[m][kind]));
  PetscCall(PetscTime(&end));
  point->time = end - begin;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ output */

static PetscErrorCode PrintPoint(const Point *point)
{
  PetscFunctionBegin;
  PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                        "after %" PetscInt_FMT " steps (%s) of %s; looked at in %.2f s\n"
                        "  %-27s %16s %10s %8s  %-8s  %s\n",
                        point->t, LLSConvergedReasons[point->reason], point->map, point->time, "constant",
                        "value", "error", "products", "standing", "origin"));
  for (PetscInt i = 0; i < point->nrows; i++) {
    const TwofoldConstant *const c = &point->row[i].c;
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "  %-27s %16.9e %10.2e %8" PetscInt_FMT "  %-8s  %s\n",
                          point->row[i].name, (double)c->value, (double)c->error, c->products,
                          TwofoldStandings[c->standing], c->origin));
  }
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "  %-16s %42s   %42s\n", "optimal", "formula: step, momentum, rate",
                        "computed: step, momentum, rate"));
  for (int m = 0; m < NMETHODS; m++) {
    const Optimal *const f = &point->optimal[m][FORMULA], *const c = &point->optimal[m][COMPUTED];
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "  %-16s %14.6e %12.9f %14.11f   %14.6e %12.9f %14.11f\n",
                          methods[m].name, (double)f->alpha, (double)f->beta, (double)f->radius,
                          (double)c->alpha, (double)c->beta, (double)c->radius));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void SummariseOptimal(Json *json, const char key[], const Optimal *o)
{
  JsonOpen(json, key);
  JsonReal(json, "step", o->alpha);
  JsonReal(json, "momentum", o->beta);
  JsonReal(json, "rate", o->radius);
  JsonClose(json);
}

static void SummarisePoint(Json *json, const Point *point)
{
  char key[64];

  snprintf(key, sizeof(key), "%" PetscInt_FMT, point->t);
  JsonOpen(json, key);
  JsonInt(json, "lower_steps", point->t);
  JsonString(json, "reason", LLSConvergedReasons[point->reason]);
  JsonString(json, "map", point->map);
  JsonReal(json, "s", point->time);
  for (PetscInt i = 0; i < point->nrows; i++) JsonConstant(json, point->row[i].key, &point->row[i].c);
  for (int m = 0; m < NMETHODS; m++) {
    snprintf(key, sizeof(key), "optimal_%s", methods[m].name);
    JsonOpen(json, key);
    SummariseOptimal(json, "formula", &point->optimal[m][FORMULA]);
    SummariseOptimal(json, "computed", &point->optimal[m][COMPUTED]);
    JsonClose(json);
  }
  JsonClose(json);
}

static PetscErrorCode WriteSummary(Run *run, RunDir dir)
{
  FILE *file;

  PetscFunctionBegin;
  PetscCall(RunDirOpenAside(dir, "summary.json", &file));
  if (file) {
    Json json;
    JsonBegin(&json, file);
    JsonString(&json, "command", "contraction");
    JsonString(&json, "version", TWOFOLD_VERSION);
    JsonReal(&json, "tol", run->how.tol);
    JsonReal(&json, "norm_tol", run->norms.tol);
    JsonOpen(&json, "points");
    for (PetscInt i = 0; i < run->npoints; i++) SummarisePoint(&json, &run->point[i]);
    JsonClose(&json);
    JsonEnd(&json);
  }
  PetscCall(RunDirCommit(dir, "summary.json", &file));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the command */

/* From the iterate at hand to the next one to look at; stops where the lower level does. */
static PetscErrorCode Walk(Run *run)
{
  PetscInt done = 0, its;

  PetscFunctionBegin;
  PetscCall(FPMCreateState(run->fpm, &run->x));
  PetscCall(BoundProvideConstants(run->fpm, run->lambda, run->x->v[0], &run->how));
  for (PetscInt i = 0; i < run->nat; i++) {
    Point *const point = &run->point[i];
    PetscCall(LLSSetTolerances(run->lls, PETSC_DEFAULT, PETSC_DEFAULT, run->at[i] - done));
    PetscCall(LLSSolve(run->lls, run->lambda, run->x));
    PetscCall(LLSGetIterationNumber(run->lls, &its));
    PetscCall(LLSGetConvergedReason(run->lls, &point->reason));
    done += its;
    point->t = done;
    run->npoints++;
    if (point->reason == LLS_DIVERGED_NANORINF || point->reason == LLS_DIVERGED_DTOL) {
      PetscCall(PetscPrintf(PETSC_COMM_WORLD, "the lower level ended by %s after %" PetscInt_FMT " steps\n",
                            LLSConvergedReasons[point->reason], done));
      break;
    }
    PetscCall(Look(run, point));
    PetscCall(PrintPoint(point));
    if (point->reason == LLS_CONVERGED_RTOL || point->reason == LLS_CONVERGED_ATOL) break;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Describe(Run *run)
{
  PetscBool aid, exact;
  PetscInt folds;

  PetscFunctionBegin;
  PetscCall(BLPGetFolds(run->blp, &folds, NULL, NULL, NULL));
  PetscCheck(folds == 0, PETSC_COMM_WORLD, PETSC_ERR_SUP,
             "twofold contraction looks at one lower level, and each of -blp_folds %" PetscInt_FMT
             " has its own: leave it out",
             folds);
  PetscCall(PetscObjectTypeCompare((PetscObject)run->hg, HGEXACT, &exact));
  PetscCheck(!exact, PETSC_COMM_WORLD, PETSC_ERR_SUP,
             "twofold contraction goes along the lower level's iterates, and -hg_type exact has none: use "
             "-hg_type aid or itd");
  PetscCall(HGGetLLS(run->hg, &run->lls));
  PetscCall(LLSGetFPM(run->lls, &run->fpm));
  PetscCall(PetscObjectTypeCompare((PetscObject)run->hg, HGAID, &aid));
  if (aid) PetscCall(HGGetAdjointFPM(run->hg, &run->adjoint));
  if (!run->nat) {
    run->nat = 1;
    PetscCall(PetscMalloc1(1, &run->at));
    PetscCall(LLSGetTolerances(run->lls, NULL, NULL, &run->at[0]));
  }
  PetscCall(PetscCalloc1(run->nat, &run->point));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CommandContraction(int *code)
{
  Run run = {0};
  RunDir dir = NULL;

  PetscFunctionBegin;
  /* 1. objects and their options */
  PetscCall(ReadOptions(&run));
  PetscCall(BLPCreate(PETSC_COMM_WORLD, &run.blp));
  PetscCall(BLPSetFromOptions(run.blp));
  PetscCall(HGCreate(PETSC_COMM_WORLD, &run.hg));
  PetscCall(HGSetBLP(run.hg, run.blp));
  PetscCall(HGSetFromOptions(run.hg));
  if (run.common.help) {
    PetscCall(CliHearData());
    PetscCall(CliHelpPrint(run.common.help_all));
    PetscCall(PetscFree(run.at));
    PetscCall(HGDestroy(&run.hg));
    PetscCall(BLPDestroy(&run.blp));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(CliCheckValues());
  /* 2. data, spaces, solvers; then no option may be left unread */
  PetscCall(BLPSetUp(run.blp));
  PetscCall(HGSetUp(run.hg));
  PetscCall(CliCreateLambda(run.blp, &run.lambda));
  PetscCall(CliRefuseUnusedOptions());
  if (run.common.output_dir[0])
    PetscCall(RunDirCreate(run.common.output_dir, PETSC_FALSE, PETSC_FALSE, &dir));
  PetscCall(Describe(&run));
  /* 3. the iterates, and what there is to say about each */
  PetscCall(Walk(&run));
  if (dir) {
    PetscCall(RunDirWriteOptions(dir, "contraction"));
    PetscCall(WriteSummary(&run, dir));
    PetscCall(RunDirDestroy(&dir));
  }
  const LLSConvergedReason reason = run.point[run.npoints - 1].reason;
  PetscCall(CliJudge(&run.common, (PetscBool)(reason > 0), LLSConvergedReasons[reason], code));
  PetscCall(PetscFree(run.point));
  PetscCall(PetscFree(run.at));
  PetscCall(StateDestroy(&run.x));
  PetscCall(VecDestroy(&run.lambda));
  PetscCall(HGDestroy(&run.hg));
  PetscCall(BLPDestroy(&run.blp));
  PetscFunctionReturn(PETSC_SUCCESS);
}
