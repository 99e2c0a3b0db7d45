/* Lower-level solvers for AID, newton and anderson: the exact solution on every problem and map, rates,
   reasons, counts and what they are refused for. */
#include "dense.h"
#include "diagonal.h"
#include "files.h"

typedef struct {
  BLP blp;
  Dense *dense;
  Vec lambda;
  PetscReal *l, *w, *expected;
  PetscInt nlambda, nw;
  PetscBool map;
} Case;

static PetscErrorCode CaseCreate(BLPType type, PetscBool map, Case *k)
{
  const Synthetic spec = {.n = {13, 11, 0}, .p = 5, .c = 3, .density = 0.7, .seed = 1, .map = map};
  Vec w;

  PetscFunctionBegin;
  k->map = map;
  PetscCall(SyntheticProblem(TEST_COMM, type, &spec, &k->blp));
  PetscCall(DenseCreate(type, &spec, &k->dense));
  PetscCall(BLPCreateVecs(k->blp, &k->lambda, &w));
  PetscCall(VecGetSize(k->lambda, &k->nlambda));
  PetscCall(VecGetSize(w, &k->nw));
  PetscCall(VecDestroy(&w));
  PetscCall(SyntheticLambda(k->blp, &spec, 7, 0.5, 2, k->lambda));
  PetscCall(PetscMalloc3(k->nlambda, &k->l, 2 * k->nw, &k->w, k->nw, &k->expected));
  PetscCall(VecGather(k->lambda, k->l));
  PetscFunctionReturn(0);
}

/* w(lambda) by the dense reference: Newton's method, or the map of a problem that has no loss. */
static PetscErrorCode Expect(Case *k)
{
  const DenseMap map = {FPMPROBLEM, 1, 0};
  PetscReal f;

  PetscFunctionBegin;
  if (!k->map) {
    PetscCall(DenseExact(k->dense, k->l, k->expected, &f, NULL));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscArrayzero(k->expected, k->nw));
  for (int i = 0; i < 400; i++) PetscCall(DenseMapStep(k->dense, &map, k->l, k->expected));
  PetscFunctionReturn(0);
}

static PetscErrorCode CaseDestroy(Case *k)
{
  PetscFunctionBegin;
  PetscCall(VecDestroy(&k->lambda));
  PetscCall(PetscFree3(k->l, k->w, k->expected));
  PetscCall(DenseDestroy(&k->dense));
  PetscCall(BLPDestroy(&k->blp));
  PetscFunctionReturn(0);
}

static PetscErrorCode LLSMake(BLP blp, const char text[], LLS *lls, State *x)
{
  PetscOptions options;
  FPM fpm;

  PetscFunctionBegin;
  PetscCall(OptionsUse(text, &options));
  PetscCall(LLSCreate(PetscObjectComm((PetscObject)blp), lls));
  PetscCall(LLSSetBLP(*lls, blp));
  PetscCall(LLSSetFromOptions(*lls));
  PetscCall(LLSSetUp(*lls));
  PetscCall(OptionsDrop(&options));
  PetscCall(LLSGetFPM(*lls, &fpm));
  PetscCall(FPMCreateState(fpm, x));
  PetscFunctionReturn(0);
}

static PetscErrorCode Ended(LLS lls, LLSConvergedReason expected, PetscInt its, const char what[])
{
  LLSConvergedReason reason;
  PetscReal change;
  PetscInt made;

  PetscFunctionBegin;
  PetscCall(LLSGetConvergedReason(lls, &reason));
  PetscCall(LLSGetIterationNumber(lls, &made));
  PetscCall(LLSGetChange(lls, &change));
  CHECK(reason == expected && (its < 0 || made == its),
        "%s: ended by %s after %d steps, change %g, instead of %s", what, LLSConvergedReasons[reason],
        (int)made, change, LLSConvergedReasons[expected]);
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ the exact solution */

/* ||Phi(x) - x||, by a step of a copy. */
static PetscErrorCode Recompute(LLS lls, Vec lambda, State x, PetscReal *change)
{
  State y;
  FPM fpm;

  PetscFunctionBegin;
  PetscCall(LLSGetFPM(lls, &fpm));
  PetscCall(FPMCreateState(fpm, &y));
  PetscCall(StateCopy(x, y));
  PetscCall(FPMStep(fpm, lambda, y, change));
  PetscCall(StateDestroy(&y));
  PetscFunctionReturn(0);
}

static PetscErrorCode Solves(Case *k, const char solver[], const char map[], PetscInt most)
{
  char text[256];
  PetscReal change, now;
  PetscInt its, products;
  LLS lls;
  State x;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(text, sizeof(text),
                          "-lls_type %s -lls_rtol 1e-13 -lls_max_it 200 -lls_fpm_type %s -lls_fpm_step 0.4 "
                          "-lls_fpm_momentum 0.3",
                          solver, map));
  PetscCall(LLSMake(k->blp, text, &lls, &x));
  PetscCall(StateSetRandomNormal(x, 11)); /* not a history: newton starts from its w */
  PetscCall(LLSSolve(lls, k->lambda, x));
  PetscCall(Ended(lls, LLS_CONVERGED_RTOL, -1, text));
  PetscCall(LLSGetIterationNumber(lls, &its));
  PetscCall(LLSGetProducts(lls, &products));
  PetscCall(LLSGetChange(lls, &change));
  CHECK(its <= most, "%s: %d steps", text, (int)its);
  CHECK((products > 0) == !strcmp(solver, LLSNEWTON), "%s: %d products", text, (int)products);
  PetscCall(StateGather(x, k->w));
  for (PetscInt i = 0; i < x->n; i++) {
    const PetscReal difference = ArrayDifference(k->nw, k->w + i * k->nw, k->expected);
    CHECK(difference <= 1e-11, "%s: vector %d of the state is wrong by %g", text, (int)i, difference);
  }
  PetscCall(Recompute(lls, k->lambda, x, &now));
  if (products)
    CHECK(PetscAbsReal(now - change) <= 1e-15, "%s: change %g, recomputed %g", text, change, now);
  else
    CHECK(now <= 2 * change + 1e-15, "%s: change %g, at the result %g", text, change, now);
  PetscCall(StateDestroy(&x));
  PetscCall(LLSDestroy(&lls));
  PetscFunctionReturn(0);
}

/* f and g of aid at newton's solution are the exact ones. */
static PetscErrorCode Hypergradient(Case *k)
{
  const char *const text = "-lls_type newton -lls_rtol 1e-14 -lls_max_it 50 -hg_type aid -hg_ksp_rtol 1e-13";
  PetscReal f, expected, *g, difference;
  HGReport report;
  Vec gradient;
  HG hg;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(k->nlambda, &g));
  PetscCall(VecDuplicate(k->lambda, &gradient));
  PetscCall(DenseExact(k->dense, k->l, NULL, &expected, g));
  PetscCall(HGMake(k->blp, NULL, text, &hg));
  PetscCall(HGSolve(hg, k->lambda, &f, gradient));
  PetscCall(HGGetReport(hg, &report));
  CHECK(report.reason == HG_CONVERGED_RTOL, "ended by %s", HGConvergedReasons[report.reason]);
  PetscCall(VecDifference(gradient, g, &difference));
  CHECK(difference <= 1e-10, "the hypergradient is wrong by %g", difference);
  CHECK_CLOSE(f, expected, 1e-12, "f");
  PetscCall(HGDestroy(&hg));
  PetscCall(VecDestroy(&gradient));
  PetscCall(PetscFree(g));
  PetscFunctionReturn(0);
}

static PetscErrorCode Problem(BLPType type, PetscBool map)
{
  const char *const solvers[] = {LLSNEWTON, LLSANDERSON};
  const PetscInt most[] = {12, 60};
  const char **maps;
  PetscBool has_loss, has_map;
  PetscInt nmaps;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(type, map, &k));
  PetscCall(Expect(&k));
  PetscCall(BLPHasLoss(k.blp, &has_loss));
  PetscCall(BLPHasMap(k.blp, &has_map));
  PetscCall(FPMGetRegistered(&nmaps, &maps));
  for (PetscInt m = 0; m < nmaps; m++)
    for (int s = 0; s < 2; s++)
      if (strcmp(maps[m], FPMPROBLEM) ? has_loss : has_map)
        PetscCall(Solves(&k, solvers[s], maps[m], most[s]));
  if (has_loss) PetscCall(Hypergradient(&k));
  PetscCall(PetscFree(maps));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ rates */

typedef struct {
  PetscInt n, last, calls, stop_at;
  PetscReal change[64];
} Log;

static PetscErrorCode Monitor(LLS lls, PetscInt i, PetscReal change, void *ctx)
{
  Log *log = (Log *)ctx;

  PetscFunctionBegin;
  (void)lls;
  CHECK(i == log->n && i < 64, "the monitor hears step %d as call %d", (int)i, (int)log->n);
  log->change[log->n++] = change;
  PetscFunctionReturn(0);
}

/* With exact steps each residual is about the square of the one before. */
static PetscErrorCode Quadratic(BLPType type, PetscBool map)
{
  const char *const text =
      "-lls_type newton -lls_newton_snes_ksp_ew 0 -lls_newton_ksp_rtol 1e-13 -lls_max_it 8 "
      "-lls_newton_snes_linesearch_type basic";
  Log heard = {.n = 0};
  PetscInt seen = 0;
  LLS lls;
  State x;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(type, map, &k));
  PetscCall(LLSMake(k.blp, text, &lls, &x));
  PetscCall(LLSMonitorSet(lls, Monitor, &heard));
  PetscCall(LLSSolve(lls, k.lambda, x));
  PetscCall(Ended(lls, LLS_CONVERGED_ITS, 8, text));
  for (PetscInt i = 1; i + 1 < heard.n; i++) {
    if (heard.change[i] > 1e-2 || heard.change[i + 1] < 1e-13) continue;
    const PetscReal order =
        PetscLogReal(heard.change[i + 1] / heard.change[0]) / PetscLogReal(heard.change[i] / heard.change[0]);
    CHECK(order >= 1.7, "step %d: %g after %g, order %g", (int)i + 1, heard.change[i + 1], heard.change[i],
          order);
    seen++;
  }
  CHECK(seen >= 1 && heard.change[8] <= 1e-14, "%d steps of quadratic convergence seen, then %g", (int)seen,
        heard.change[8]);
  PetscCall(StateDestroy(&x));
  PetscCall(LLSDestroy(&lls));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* On linear equations anderson of unlimited depth is GMRES: with ten eigenvalues it is done after ten
   differences, where picard would make about kappa log(1/eps) steps. */
static PetscErrorCode Krylov(void)
{
  Diagonal s = {.n = 10, .kappa = 1e3, .a = 0, .sign = 1};
  const char *const options[] = {"-lls_type picard", "-lls_type anderson -lls_anderson_depth 10"};
  PetscInt its[2];
  BLP blp;
  Vec lambda;

  PetscFunctionBegin;
  PetscCall(DiagonalProblem(TEST_COMM, &s, &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  for (int i = 0; i < 2; i++) {
    LLS lls;
    State x;
    PetscCall(LLSMake(blp, options[i], &lls, &x));
    PetscCall(LLSSetTolerances(lls, 0, 1e-8, 100000));
    PetscCall(LLSSolve(lls, lambda, x));
    PetscCall(Ended(lls, LLS_CONVERGED_ATOL, -1, options[i]));
    PetscCall(LLSGetIterationNumber(lls, &its[i]));
    PetscCall(StateDestroy(&x));
    PetscCall(LLSDestroy(&lls));
  }
  CHECK(its[0] > 5000 && its[1] <= 14, "picard %d steps, anderson %d", (int)its[0], (int)its[1]);
  PetscCall(VecDestroy(&lambda));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ kappa = 1e8 */

/* |w_i - exact| <= residual / slope_i, and aid's gradient at it. */
static PetscErrorCode IllConditioned(PetscBool map, PetscBool no_value)
{
  Diagonal s = {.n = 40, .kappa = 1e8, .a = 0.3, .sign = 1, .map = map, .no_value = no_value};
  const char *const text = "-lls_type newton -lls_atol 1e-13 -lls_max_it 100 -hg_type aid -hg_ksp_rtol 1e-12 "
                           "-hg_ksp_max_it 5000";
  PetscReal f, change, norm, *w, *g;
  HGReport report;
  Vec lambda, gradient;
  BLP blp;
  State x;
  HG hg;

  PetscFunctionBegin;
  PetscCall(DiagonalProblem(TEST_COMM, &s, &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, &gradient));
  PetscCall(TwofoldVecSetRandomNormal(lambda, 5));
  PetscCall(PetscMalloc2(s.n, &w, s.n, &g));
  PetscCall(HGMake(blp, NULL, text, &hg));
  PetscCall(HGSolve(hg, lambda, &f, gradient));
  PetscCall(HGGetReport(hg, &report));
  CHECK(report.reason == HG_CONVERGED_RTOL && report.lower_reason == LLS_CONVERGED_ATOL,
        "%s: %s after %d steps, %s", map ? "map" : "loss", LLSConvergedReasons[report.lower_reason],
        (int)report.lower_its, HGConvergedReasons[report.reason]);
  change = report.lower_change;
  norm = PetscSqrtReal(2 * f);
  PetscCall(HGGetState(hg, &x));
  PetscCall(VecGather(x->v[0], w));
  PetscCall(VecGather(gradient, g));
  for (PetscInt i = 0; i < s.n; i++) {
    PetscReal slope;
    const PetscReal exact = DiagonalExact(&s, i, TwofoldRandomNormal(5, i), &slope);
    const PetscReal rounding = (map ? 2e-16 / slope : 0) + 1e-14; /* Phi(w) is rounded to eps |w| */
    const PetscReal error = PetscAbsReal(w[i] - exact),
                    allowed = 2 * change / slope + rounding * PetscAbsReal(exact);
    CHECK(error <= allowed, "w_%d = %.15g instead of %.15g: wrong by %g, residual %g allows %g", (int)i, w[i],
          exact, error, change, allowed);
    const PetscReal g_exact = (exact - 1) / slope; /* wrong by the adjoint's residual and by w's error */
    const PetscReal g_allowed =
        (report.adjoint_residual * norm + allowed * (1 + s.a * PetscAbsReal(g_exact))) / slope;
    CHECK(PetscAbsReal(g[i] - g_exact) <= 2 * g_allowed, "g_%d = %.15g instead of %.15g, allowed %g", (int)i,
          g[i], g_exact, g_allowed);
  }
  PetscCall(HGDestroy(&hg));
  PetscCall(PetscFree2(w, g));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&gradient));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ any number of ranks */

static PetscErrorCode OnRanks(MPI_Comm comm, const char text[], PetscInt *its, PetscReal w[])
{
  const Synthetic spec = {.n = {60, 30, 0}, .p = 12, .c = 4, .density = 0.5, .seed = 4};
  Vec lambda;
  LLS lls;
  State x;
  BLP blp;

  PetscFunctionBegin;
  PetscCall(SyntheticProblem(comm, BLPSOFTMAX, &spec, &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(TwofoldVecSetRandomNormal(lambda, 3));
  PetscCall(LLSMake(blp, text, &lls, &x));
  PetscCall(LLSSolve(lls, lambda, x));
  PetscCall(LLSGetIterationNumber(lls, its));
  PetscCall(VecGather(x->v[0], w));
  PetscCall(StateDestroy(&x));
  PetscCall(LLSDestroy(&lls));
  PetscCall(VecDestroy(&lambda));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

static PetscErrorCode AnyRanks(const char text[])
{
  PetscReal w[48], alone[48];
  PetscInt its, its_alone;

  PetscFunctionBegin;
  PetscCall(OnRanks(TEST_COMM, text, &its, w));
  PetscCall(OnRanks(PETSC_COMM_SELF, text, &its_alone, alone));
  const PetscReal difference = ArrayDifference(48, w, alone);
  CHECK(difference <= 1e-11 && its == its_alone, "%s: w differs by %g; %d steps, alone %d", text, difference,
        (int)its, (int)its_alone);
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ reasons */

static PetscErrorCode Stop(void *ctx, PetscInt i, PetscBool *stop)
{
  Log *log = (Log *)ctx;

  PetscFunctionBegin;
  log->calls++;
  *stop = (PetscBool)(i == log->stop_at);
  PetscFunctionReturn(0);
}

static PetscErrorCode Record(void *ctx, PetscInt i, State x)
{
  Log *log = (Log *)ctx;

  PetscFunctionBegin;
  (void)x;
  CHECK(i == log->last, "the state before step %d is told as that of %d", (int)log->last, (int)i);
  log->last++;
  PetscFunctionReturn(0);
}

static PetscErrorCode SolveFrom(LLS lls, Vec lambda, PetscReal start, State x)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < x->n; i++) PetscCall(VecSet(x->v[i], start));
  PetscCall(LLSSolve(lls, lambda, x));
  PetscFunctionReturn(0);
}

static PetscErrorCode Reasons(LLSType type)
{
  char text[128];
  const PetscBool newton = (PetscBool)!strcmp(type, LLSNEWTON);
  const PetscInt steps[] = {0, 1, 40};
  PetscReal change;
  PetscInt its;
  Log log = {.stop_at = -1};
  LLS lls;
  State x;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(BLPSOFTMAX, PETSC_FALSE, &k));
  PetscCall(
      PetscSNPrintf(text, sizeof(text), "-lls_fpm_type heavyball -lls_fpm_step 0.4 -lls_type %s", type));
  PetscCall(LLSMake(k.blp, text, &lls, &x));
  for (int i = 0; i < 3; i++) { /* exactly as many, past convergence, too */
    log.last = 0;
    PetscCall(LLSSetTolerances(lls, 0, 0, steps[i]));
    PetscCall(LLSSetRecord(lls, Record, &log));
    PetscCall(SolveFrom(lls, k.lambda, 0, x));
    PetscCall(Ended(lls, LLS_CONVERGED_ITS, steps[i], type));
    CHECK(log.last == steps[i], "%s: %d states told, %d steps", type, (int)log.last, (int)steps[i]);
  }
  PetscCall(LLSSetRecord(lls, NULL, NULL));
  PetscCall(LLSSetTolerances(lls, 1e-12, 0, 100));
  PetscCall(SolveFrom(lls, k.lambda, 0, x));
  PetscCall(Ended(lls, LLS_CONVERGED_RTOL, -1, type));
  PetscCall(LLSGetIterationNumber(lls, &its));
  PetscCall(LLSSolve(lls, k.lambda, x)); /* from there: newton knows the residual of its start */
  PetscCall(Ended(lls, LLS_CONVERGED_RTOL, newton ? 0 : 1, type));
  PetscCall(LLSSetTolerances(lls, 1e-12, 0, its - 1));
  PetscCall(SolveFrom(lls, k.lambda, 0, x));
  PetscCall(Ended(lls, LLS_DIVERGED_ITS, its - 1, type));
  PetscCall(LLSSetTolerances(lls, 1e-12, 0, 0));
  PetscCall(SolveFrom(lls, k.lambda, 0, x));
  PetscCall(Ended(lls, LLS_DIVERGED_ITS, 0, type));
  PetscCall(LLSSetTolerances(lls, 0, 1e-3, 100));
  PetscCall(SolveFrom(lls, k.lambda, 0, x));
  PetscCall(Ended(lls, LLS_CONVERGED_ATOL, -1, type));
  PetscCall(LLSGetChange(lls, &change));
  CHECK(change <= 1e-3, "%s: change %g", type, change);
  if (newton) { /* below rounding, unless all entries of the gradient happen to be rounded to 0 */
    PetscCall(LLSSetTolerances(lls, 0, 1e-25, 1000));
    PetscCall(SolveFrom(lls, k.lambda, 0, x));
    PetscCall(LLSGetChange(lls, &change));
    PetscCall(Ended(lls, change == 0 ? LLS_CONVERGED_ATOL : LLS_DIVERGED_LINE_SEARCH, -1, type));
    PetscCall(LLSGetIterationNumber(lls, &its));
    CHECK(its < 40, "%d steps to see that rounding allows no more", (int)its);
  }
  log = (Log){.stop_at = 2};
  PetscCall(LLSSetStop(lls, Stop, &log));
  PetscCall(SolveFrom(lls, k.lambda, 0, x));
  PetscCall(Ended(lls, LLS_STOPPED, 2, type));
  CHECK(log.calls == 2, "the stop hook was called %d times", (int)log.calls);
  PetscCall(LLSSetStop(lls, NULL, NULL));
  for (int i = 0; i < 2; i++) { /* with a tolerance and without */
    PetscCall(LLSSetTolerances(lls, i ? 0 : 1e-8, 0, 30));
    PetscCall(SolveFrom(lls, k.lambda, (PetscReal)NAN, x));
    PetscCall(Ended(lls, LLS_DIVERGED_NANORINF, newton ? 0 : 1, type));
    PetscCall(VecSet(k.lambda, 1e4)); /* exp of it */
    PetscCall(SolveFrom(lls, k.lambda, 1, x));
    PetscCall(Ended(lls, LLS_DIVERGED_NANORINF, newton ? 0 : 1, type));
    PetscCall(VecFill(k.lambda, k.l));
    PetscCall(SolveFrom(lls, k.lambda, 0, x)); /* nothing of it is left */
    PetscCall(Ended(lls, i ? LLS_CONVERGED_ITS : LLS_CONVERGED_RTOL, i ? 30 : -1, type));
  }
  PetscCall(StateDestroy(&x));
  PetscCall(LLSDestroy(&lls));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* A loss that is concave has a stationary point and nothing for CG to descend to. */
static PetscErrorCode Indefinite(void)
{
  Diagonal s = {.n = 9, .kappa = 10, .a = 0, .sign = -1};
  Vec lambda, g;
  PetscReal f;
  HGReport report;
  BLP blp;
  HG hg;

  PetscFunctionBegin;
  PetscCall(DiagonalProblem(TEST_COMM, &s, &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, &g));
  for (int i = 0; i < 2; i++) {
    PetscCall(
        HGMake(blp, NULL, i ? "-lls_type newton -lls_max_it 5" : "-lls_type newton -lls_rtol 1e-8", &hg));
    PetscCall(HGSolve(hg, lambda, &f, g));
    PetscCall(HGGetReport(hg, &report));
    CHECK(report.reason == HG_DIVERGED_LOWER && report.lower_reason == LLS_DIVERGED_LINEAR_SOLVE, "%s, %s",
          HGConvergedReasons[report.reason], LLSConvergedReasons[report.lower_reason]);
    PetscCall(HGDestroy(&hg));
  }
  PetscCall(HGMake(blp, NULL,
                   "-lls_type newton -lls_rtol 1e-8 -lls_newton_ksp_type minres "
                   "-lls_newton_snes_linesearch_type bt -hg_ksp_type minres",
                   &hg));
  PetscCall(HGSolve(hg, lambda, &f, g)); /* who wants it all the same */
  PetscCall(HGGetReport(hg, &report));
  CHECK(report.lower_reason == LLS_CONVERGED_RTOL, "%s", LLSConvergedReasons[report.lower_reason]);
  PetscCall(HGDestroy(&hg));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&g));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* The step is too long for picard; for anderson a linear problem is GMRES's all the same. */
static PetscErrorCode LongStep(void)
{
  Diagonal s = {.n = 6, .kappa = 20, .a = 0, .sign = 1};
  BLP blp;
  Vec lambda;
  LLS lls;
  State x;

  PetscFunctionBegin;
  PetscCall(DiagonalProblem(TEST_COMM, &s, &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(
      LLSMake(blp, "-lls_type anderson -lls_anderson_depth 8 -lls_fpm_step 2.5 -lls_rtol 1e-10", &lls, &x));
  PetscCall(LLSSolve(lls, lambda, x));
  PetscCall(Ended(lls, LLS_CONVERGED_RTOL, -1, "a step that is too long"));
  PetscCall(StateDestroy(&x));
  PetscCall(LLSDestroy(&lls));
  PetscCall(VecDestroy(&lambda));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* A step as steep as a in the middle of each coordinate and flat outside, where differences mislead: without
   its safeguard anderson does not end. No result is worse than 10 times the best before. */
static PetscErrorCode Safeguard(PetscReal a, PetscReal kappa, PetscInt n, PetscReal right, PetscReal start,
                                const char step[])
{
  Diagonal s = {.n = n, .kappa = kappa, .a = a, .sign = 1};
  Log log = {.n = 1}; /* anderson knows no residual of its start */
  PetscReal least = PETSC_MAX_REAL;
  char text[128];
  BLP blp;
  Vec lambda;
  LLS lls;
  State x;

  PetscFunctionBegin;
  PetscCall(DiagonalProblem(TEST_COMM, &s, &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(PetscSNPrintf(text, sizeof(text), "-lls_type anderson -lls_fpm_step %s", step));
  PetscCall(LLSMake(blp, text, &lls, &x));
  PetscCall(VecSet(lambda, right));
  PetscCall(LLSSetTolerances(lls, 1e-9, 0, 2000));
  PetscCall(SolveFrom(lls, lambda, start, x));
  PetscCall(Ended(lls, LLS_CONVERGED_RTOL, -1, text));
  PetscCall(LLSSetTolerances(lls, 0, 0, 60));
  PetscCall(LLSMonitorSet(lls, Monitor, &log));
  PetscCall(SolveFrom(lls, lambda, start, x));
  PetscCall(Ended(lls, LLS_CONVERGED_ITS, 60, text));
  for (PetscInt i = 1; i < log.n; i++) {
    CHECK(log.change[i] <= 10 * least, "step %d: change %g after %g", (int)i, log.change[i], least);
    least = PetscMin(least, log.change[i]);
  }
  PetscCall(StateDestroy(&x));
  PetscCall(LLSDestroy(&lls));
  PetscCall(VecDestroy(&lambda));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ refusals and settings */

static PetscErrorCode Refusals(void)
{
  const char **types;
  PetscInt n;
  PetscBool can;
  char text[96];
  SNES snes;
  LLS lls;
  HG hg;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(BLPSOFTMAX, PETSC_FALSE, &k));
  PetscCall(LLSGetRegistered(&n, &types));
  for (PetscInt i = 0; i < n; i++) {
    PetscOptions options;
    PetscCall(PetscSNPrintf(text, sizeof(text), "-hg_type itd -lls_type %s", types[i]));
    PetscCall(OptionsUse(text, &options));
    PetscCall(HGCreate(TEST_COMM, &hg));
    PetscCall(HGSetBLP(hg, k.blp));
    PetscCall(HGSetFromOptions(hg));
    PetscCall(OptionsDrop(&options));
    PetscCall(HGGetLLS(hg, &lls));
    PetscCall(LLSCanRecord(lls, &can));
    CHECK(can == !strcmp(types[i], LLSPICARD), "%s says %d", types[i], (int)can);
    if (can)
      PetscCall(HGSetUp(hg));
    else
      CHECK_SAYS(PETSC_ERR_SUP, "use -hg_type aid", HGSetUp(hg));
    PetscCall(HGDestroy(&hg));
  }
  PetscCall(PetscFree(types));
  PetscCall(LLSCreate(TEST_COMM, &lls));
  PetscCall(LLSSetType(lls, LLSPICARD));
  CHECK_RAISES(PETSC_ERR_ARG_WRONG, LLSGetSNES(lls, &snes));
  CHECK_RAISES(PETSC_ERR_ARG_WRONG, LLSAndersonSetDepth(lls, 3));
  PetscCall(LLSSetType(lls, LLSANDERSON));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, LLSAndersonSetDepth(lls, 0));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, LLSAndersonSetDepth(lls, 101));
  PetscCall(LLSSetType(lls, LLSNEWTON));
  PetscCall(LLSGetSNES(lls, &snes));
  CHECK_RAISES(PETSC_ERR_ARG_WRONGSTATE, LLSSetUp(lls)); /* no problem */
  PetscCall(LLSDestroy(&lls));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* Set up again for another problem: what options gave the KSP to view is there still. */
static PetscErrorCode AnotherProblem(void)
{
  PetscOptions options;
  State x;
  LLS lls;
  LLSConvergedReason reason;
  Case k, other;

  PetscFunctionBegin;
  PetscCall(CaseCreate(BLPSOFTMAX, PETSC_FALSE, &k));
  PetscCall(CaseCreate(BLPLOGISTIC, PETSC_FALSE, &other));
  PetscCall(OptionsUse("-lls_type newton -lls_newton_ksp_converged_rate ascii:/dev/null", &options));
  PetscCall(LLSCreate(TEST_COMM, &lls));
  PetscCall(LLSSetBLP(lls, k.blp));
  PetscCall(LLSSetFromOptions(lls));
  for (int again = 0; again < 3; again++) {
    Case *const now = again == 1 ? &other : &k;
    FPM fpm;
    PetscCall(LLSSetBLP(lls, now->blp));
    PetscCall(LLSSetUp(lls));
    PetscCall(LLSGetFPM(lls, &fpm));
    PetscCall(FPMCreateState(fpm, &x));
    PetscCall(LLSSetTolerances(lls, 0, 1e-10, 50));
    PetscCall(LLSSolve(lls, now->lambda, x));
    PetscCall(LLSGetConvergedReason(lls, &reason));
    CHECK(reason > 0, "problem %d: %s", again, LLSConvergedReasons[reason]);
    PetscCall(StateDestroy(&x));
  }
  PetscCall(OptionsDrop(&options));
  PetscCall(LLSDestroy(&lls));
  PetscCall(CaseDestroy(&other));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* CG for a map whose d1Phi is not symmetric. */
static PetscErrorCode NotSymmetric(void)
{
  PetscOptions options;
  LLS lls;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(BLPUSER, PETSC_TRUE, &k));
  PetscCall(OptionsUse("-lls_type newton -lls_newton_ksp_type cg", &options));
  PetscCall(LLSCreate(TEST_COMM, &lls));
  PetscCall(LLSSetBLP(lls, k.blp));
  PetscCall(LLSSetFromOptions(lls));
  PetscCall(OptionsDrop(&options));
  CHECK_SAYS(PETSC_ERR_SUP, "use -lls_newton_ksp_type gmres", LLSSetUp(lls));
  PetscCall(LLSDestroy(&lls));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const char **types;
  PetscInt n;

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(BLPGetRegistered(&n, &types));
  for (PetscInt i = 0; i < n; i++) {
    PetscCall(Problem(types[i], PETSC_FALSE));
    if (!strcmp(types[i], BLPUSER)) PetscCall(Problem(types[i], PETSC_TRUE));
  }
  PetscCall(PetscFree(types));
  PetscCall(Quadratic(BLPUSER, PETSC_FALSE));
  PetscCall(Quadratic(BLPUSER, PETSC_TRUE));
  PetscCall(Quadratic(BLPSOFTMAX, PETSC_FALSE));
  PetscCall(Krylov());
  PetscCall(IllConditioned(PETSC_FALSE, PETSC_FALSE));
  PetscCall(IllConditioned(PETSC_FALSE, PETSC_TRUE));
  PetscCall(IllConditioned(PETSC_TRUE, PETSC_FALSE));
  PetscCall(AnyRanks("-lls_type newton -lls_rtol 1e-13"));
  PetscCall(AnyRanks("-lls_type newton -lls_max_it 3"));
  PetscCall(AnyRanks("-lls_type anderson -lls_max_it 12"));
  PetscCall(AnyRanks("-lls_type anderson -lls_anderson_depth 2 -lls_max_it 15 -lls_fpm_type nesterov"));
  PetscCall(Reasons(LLSNEWTON));
  PetscCall(Reasons(LLSANDERSON));
  PetscCall(Indefinite());
  PetscCall(LongStep());
  PetscCall(Safeguard(30, 100, 6, 20, -2, "0.006"));
  PetscCall(Safeguard(1000, 1000, 10, 50, 10, "0.0015"));
  PetscCall(Refusals());
  PetscCall(NotSymmetric());
  PetscCall(AnotherProblem());
  PetscCall(TestFinalize());
  return 0;
}
