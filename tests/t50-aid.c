/* Approximate implicit differentiation: k steps of the fixed-point method are the k-term Neumann sum, a
   converged solve is the dense one, both families meet in the limit; reasons and the report. */
#include "dense.h"

static const char *const lower = "-lls_max_it 20 -lls_fpm_step 0.4 -lls_fpm_type ";

typedef struct {
  BLP blp;
  Dense *dense;
  Vec lambda, g, expected;
  PetscReal *l, *dense_g;
} Case;

/* lambda about 2: alpha H has its eigenvalues between about 0.1 and 1. */
static PetscErrorCode CaseCreate(BLPType type, const Synthetic *s, Case *k)
{
  PetscFunctionBegin;
  PetscCall(SyntheticProblem(TEST_COMM, type, s, &k->blp));
  PetscCall(DenseCreate(type, s, &k->dense));
  PetscCall(BLPCreateVecs(k->blp, &k->lambda, NULL));
  PetscCall(VecDuplicate(k->lambda, &k->g));
  PetscCall(VecDuplicate(k->lambda, &k->expected));
  PetscCall(SyntheticLambda(k->blp, s, 7, 0.5, 2, k->lambda));
  PetscCall(PetscMalloc2(k->dense->nlambda, &k->l, k->dense->nlambda, &k->dense_g));
  PetscCall(VecGather(k->lambda, k->l));
  PetscFunctionReturn(0);
}

static PetscErrorCode CaseDestroy(Case *k)
{
  PetscFunctionBegin;
  PetscCall(VecDestroy(&k->lambda));
  PetscCall(VecDestroy(&k->g));
  PetscCall(VecDestroy(&k->expected));
  PetscCall(PetscFree2(k->l, k->dense_g));
  PetscCall(DenseDestroy(&k->dense));
  PetscCall(BLPDestroy(&k->blp));
  PetscFunctionReturn(0);
}

/* A map like the adjoint's, at the point of the last solve, and b = (grad1 E, 0). */
static PetscErrorCode AdjointMap(Case *k, HG hg, const DenseMap *map, FPM *fpm, State *b)
{
  PetscReal E;
  State x, point;

  PetscFunctionBegin;
  PetscCall(FPMCreate(TEST_COMM, fpm));
  PetscCall(FPMSetBLP(*fpm, k->blp));
  PetscCall(FPMSetType(*fpm, map->type));
  PetscCall(FPMSetStep(*fpm, map->step));
  PetscCall(FPMSetMomentum(*fpm, map->momentum));
  PetscCall(FPMCreateState(*fpm, b));
  PetscCall(HGGetState(hg, &x));
  PetscCall(BLPUpper(k->blp, k->lambda, x->v[0], &E, (*b)->v[0], NULL));
  PetscCall(StateCreateReference(x, (*b)->n, &point));
  PetscCall(FPMLinearize(*fpm, k->lambda, point));
  PetscCall(StateDestroy(&point));
  PetscFunctionReturn(0);
}

/* ||b - (I - d1Phi^T) v|| / ||b|| by plain products against the report. */
static PetscErrorCode CheckResidual(FPM fpm, State b, State v, PetscReal reported)
{
  PetscReal residual, norm;
  State r, y;

  PetscFunctionBegin;
  PetscCall(FPMCreateState(fpm, &r));
  PetscCall(FPMCreateState(fpm, &y));
  PetscCall(FPMVJP(fpm, v, y));
  PetscCall(StateCopy(b, r));
  PetscCall(StateAYPX(r, 1, y)); /* b + d1Phi^T v */
  PetscCall(StateCopy(v, y));
  PetscCall(StateAYPX(y, -1, r)); /* - v */
  PetscCall(StateNorm(y, &residual));
  PetscCall(StateNorm(b, &norm));
  CHECK(PetscAbsReal(residual / norm - reported) <= 1e-13, "adjoint residual %g, reported %g",
        residual / norm, reported);
  PetscCall(StateDestroy(&r));
  PetscCall(StateDestroy(&y));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ Neumann sums */

/* v = sum_{i < K} (d1Phi^T)^i b by plain products. */
static PetscErrorCode NeumannSum(FPM fpm, State b, PetscInt K, State v)
{
  State power, next;

  PetscFunctionBegin;
  PetscCall(FPMCreateState(fpm, &power));
  PetscCall(FPMCreateState(fpm, &next));
  PetscCall(StateZero(v));
  PetscCall(StateCopy(b, power));
  for (PetscInt i = 0; i < K; i++) {
    PetscCall(StateAYPX(v, 1, power));
    PetscCall(FPMVJP(fpm, power, next));
    PetscCall(StateCopy(next, power));
  }
  PetscCall(StateDestroy(&power));
  PetscCall(StateDestroy(&next));
  PetscFunctionReturn(0);
}

static PetscErrorCode Neumann(Case *k, const char lower_map[], const DenseMap *map, PetscInt K)
{
  char text[320];
  HGReport report;
  PetscReal f, difference, norm;
  State v, b, sum, x;
  FPM fpm;
  HG hg;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(text, sizeof(text),
                          "%s%s -lls_fpm_momentum 0.3 -hg_type aid -hg_ksp_type richardson -hg_ksp_rtol 0 "
                          "-hg_ksp_max_it %d -hg_fpm_type %s -hg_fpm_step %g -hg_fpm_momentum %g",
                          lower, lower_map, (int)K, map->type, (double)map->step, (double)map->momentum));
  PetscCall(HGMake(k->blp, NULL, text, &hg));
  PetscCall(HGSolve(hg, k->lambda, &f, k->g));
  PetscCall(HGGetReport(hg, &report));
  CHECK(report.reason == HG_CONVERGED_ITS && report.adjoint_reason == KSP_CONVERGED_ITS &&
            report.adjoint_its == K && report.lower_its == 20,
        "%s, %s after %d steps instead of %d", HGConvergedReasons[report.reason],
        KSPConvergedReasons[report.adjoint_reason], (int)report.adjoint_its, (int)K);
  PetscCall(HGGetAdjoint(hg, &v));
  PetscCall(AdjointMap(k, hg, map, &fpm, &b));
  PetscCall(FPMCreateState(fpm, &sum));
  PetscCall(NeumannSum(fpm, b, K, sum));
  PetscCall(CheckResidual(fpm, b, v, report.adjoint_residual));
  PetscCall(HGGetState(hg, &x));
  PetscCall(BLPUpper(k->blp, k->lambda, x->v[0], &f, NULL, k->expected)); /* grad2 E */
  PetscCall(FPMParameterVJPAdd(fpm, sum, k->expected));
  PetscCall(StateNorm(sum, &norm));
  PetscCall(StateAYPX(sum, -1, v));
  PetscCall(StateNorm(sum, &difference));
  CHECK(difference <= 1e-13 * norm, "%s, %d steps: v differs by %g of %g", map->type, (int)K, difference,
        norm);
  PetscCall(RelativeDifference(k->g, k->expected, &difference));
  CHECK(difference <= 1e-13, "%s, %d steps: g differs by %g", map->type, (int)K, difference);
  PetscCall(VecNorm(k->g, NORM_2, &norm));
  CHECK(norm == report.norm && (K > 0 || k->dense->direct) == (norm > 0), "||g|| %g, reported %g", norm,
        report.norm);
  PetscCall(StateDestroy(&b));
  PetscCall(StateDestroy(&sum));
  PetscCall(FPMDestroy(&fpm));
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ converged solves */

/* At w_t of a short lower level a converged adjoint is the dense solve. */
static PetscErrorCode DirectSolve(Case *k, const char ksp[], const DenseMap *map)
{
  char text[320];
  HGReport report;
  PetscReal f, difference, *x, *v;
  PetscInt n;
  State state;
  HG hg;

  PetscFunctionBegin;
  PetscCall(
      PetscSNPrintf(text, sizeof(text),
                    "-lls_max_it 3 -lls_fpm_step 0.4 -hg_ksp_type %s -hg_ksp_rtol 1e-14 -hg_fpm_type %s "
                    "-hg_fpm_step %g -hg_fpm_momentum %g",
                    ksp, map->type, (double)map->step, (double)map->momentum));
  PetscCall(HGMake(k->blp, NULL, text, &hg));
  PetscCall(HGSolve(hg, k->lambda, &f, k->g));
  PetscCall(HGGetReport(hg, &report));
  CHECK(report.reason == HG_CONVERGED_ITS && report.adjoint_reason > 0 && report.adjoint_residual <= 1e-13,
        "%s, %s, residual %g", HGConvergedReasons[report.reason], KSPConvergedReasons[report.adjoint_reason],
        report.adjoint_residual);
  PetscCall(DenseMapGetSize(k->dense, map, &n));
  PetscCall(PetscMalloc2(2 * n, &x, 2 * n, &v));
  PetscCall(HGGetState(hg, &state));
  PetscCall(VecGather(state->v[0], x));
  PetscCall(PetscArraycpy(x + k->dense->nw, x, k->dense->nw));
  PetscCall(DenseImplicit(k->dense, map, k->l, x, v, k->dense_g));
  PetscCall(HGGetAdjoint(hg, &state));
  PetscCall(StateGather(state, x));
  difference = ArrayDifference(n, x, v);
  CHECK(difference <= 1e-12, "%s on %s: v differs by %g", ksp, map->type, difference);
  PetscCall(VecDifference(k->g, k->dense_g, &difference));
  CHECK(difference <= 1e-12, "%s on %s: g differs by %g", ksp, map->type, difference);
  PetscCall(PetscFree2(x, v));
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

/* f by the implicit function theorem against finite differences of the dense f, which needs no gradient. */
static PetscErrorCode DenseFiniteDifference(Case *k)
{
  const PetscReal h = 8e-3;
  PetscReal *l, *d, f[2][2], slope = 0;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(k->dense->nlambda, &l, k->dense->nlambda, &d));
  for (PetscInt j = 0; j < k->dense->nlambda; j++) {
    d[j] = TwofoldRandomNormal(8, j);
    slope += k->dense_g[j] * d[j];
  }
  for (int i = 0; i < 2; i++) {
    for (int side = 0; side < 2; side++) {
      for (PetscInt j = 0; j < k->dense->nlambda; j++) l[j] = k->l[j] + (side ? -h : h) / (1 << i) * d[j];
      PetscCall(DenseExact(k->dense, l, NULL, &f[i][side], NULL));
    }
  }
  const PetscReal coarse = (f[0][0] - f[0][1]) / (2 * h), fine = (f[1][0] - f[1][1]) / h;
  CHECK_CLOSE(slope, (4 * fine - coarse) / 3, 1e-9, "derivative of the exact f");
  PetscCall(PetscFree2(l, d));
  PetscFunctionReturn(0);
}

/* With many steps both families, with any map, give the gradient of f. */
static PetscErrorCode Limit(Case *k)
{
  const char *const options[] = {
      "-hg_type itd", "-hg_type itd -lls_fpm_type heavyball -lls_fpm_momentum 0.3",
      "-hg_type aid -hg_ksp_rtol 1e-14",
      "-hg_type aid -hg_ksp_rtol 1e-14 -lls_fpm_type heavyball -lls_fpm_momentum 0.3",
      "-hg_type aid -hg_ksp_type richardson -hg_ksp_rtol 0 -hg_ksp_max_it 300 -hg_fpm_step 0.4 "
      "-hg_fpm_type heavyball -hg_fpm_momentum 0.3"};
  char text[320];
  PetscReal f, exact, difference;
  HG hg;

  PetscFunctionBegin;
  PetscCall(DenseExact(k->dense, k->l, NULL, &exact, k->dense_g));
  PetscCall(DenseFiniteDifference(k));
  for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
    PetscCall(PetscSNPrintf(text, sizeof(text), "-lls_max_it 300 -lls_fpm_step 0.4 %s", options[i]));
    PetscCall(HGMake(k->blp, NULL, text, &hg));
    PetscCall(HGSolve(hg, k->lambda, &f, k->g));
    CHECK_CLOSE(f, exact, 1e-13, options[i]);
    PetscCall(VecDifference(k->g, k->dense_g, &difference));
    CHECK(difference <= 1e-12, "%s: differs by %g", options[i], difference);
    PetscCall(HGDestroy(&hg));
  }
  PetscFunctionReturn(0);
}

/* On the adjoint of step a, v scales with 1/a; for a Krylov method g does not know a. */
static PetscErrorCode StepInvariance(Case *k)
{
  const PetscReal step[] = {1, 0.5, 0.01, 37};
  const char *const stop[] = {"-hg_ksp_rtol 1e-8", "-hg_ksp_rtol 0 -hg_ksp_max_it 4"};
  char text[320];
  PetscReal f, difference;
  State v;
  Vec first;
  HG hg;

  PetscFunctionBegin;
  for (int s = 0; s < 2; s++) {
    first = NULL;
    for (int i = 0; i < 4; i++) {
      PetscCall(PetscSNPrintf(text, sizeof(text), "%sgd -hg_ksp_type cg %s -hg_fpm_step %g", lower, stop[s],
                              (double)step[i]));
      PetscCall(HGMake(k->blp, NULL, text, &hg));
      PetscCall(HGSolve(hg, k->lambda, &f, i ? k->g : k->expected));
      PetscCall(HGGetAdjoint(hg, &v));
      if (i == 0) {
        PetscCall(VecDuplicate(v->v[0], &first));
        PetscCall(VecCopy(v->v[0], first));
      } else {
        PetscCall(RelativeDifference(k->g, k->expected, &difference));
        CHECK(difference <= 1e-13, "step %g: g differs by %g", step[i], difference);
        PetscCall(VecScale(v->v[0], step[i]));
        PetscCall(RelativeDifference(v->v[0], first, &difference));
        CHECK(difference <= 1e-13, "step %g: v differs by %g", step[i], difference);
      }
      PetscCall(HGDestroy(&hg));
    }
    PetscCall(VecDestroy(&first));
  }
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ reasons */

static PetscErrorCode Reason(Case *k, const char text[], HGConvergedReason reason, LLSConvergedReason below,
                             KSPConvergedReason adjoint)
{
  HGReport report;
  PetscReal f;
  HG hg;

  PetscFunctionBegin;
  PetscCall(HGMake(k->blp, NULL, text, &hg));
  PetscCall(HGSolve(hg, k->lambda, &f, k->g));
  PetscCall(HGGetReport(hg, &report));
  CHECK(report.reason == reason && report.lower_reason == below && report.adjoint_reason == adjoint,
        "%s: %s, %s, %s", text, HGConvergedReasons[report.reason], LLSConvergedReasons[report.lower_reason],
        KSPConvergedReasons[report.adjoint_reason]);
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

static PetscErrorCode Reasons(Case *k)
{
  PetscFunctionBegin;
  PetscCall(Reason(k, "-lls_fpm_step 0.4 -lls_rtol 1e-4 -hg_ksp_rtol 1e-6", HG_CONVERGED_RTOL,
                   LLS_CONVERGED_RTOL, KSP_CONVERGED_RTOL));
  PetscCall(Reason(k, "-lls_fpm_step 0.4 -lls_max_it 5 -hg_ksp_rtol 0 -hg_ksp_max_it 3", HG_CONVERGED_ITS,
                   LLS_CONVERGED_ITS, KSP_CONVERGED_ITS));
  PetscCall(Reason(k, "-lls_fpm_step 0.4 -lls_rtol 1e-4 -hg_ksp_rtol 0 -hg_ksp_max_it 3", HG_CONVERGED_ITS,
                   LLS_CONVERGED_RTOL, KSP_CONVERGED_ITS));
  PetscCall(Reason(k, "-lls_fpm_step 0.4 -lls_rtol 1e-4 -hg_ksp_rtol 1e-6 -hg_ksp_max_it 2", HG_DIVERGED_ITS,
                   LLS_CONVERGED_RTOL, KSP_DIVERGED_ITS));
  PetscCall(Reason(k, "-lls_fpm_step 0.4 -lls_rtol 1e-4 -lls_max_it 2 -hg_ksp_rtol 1e-6", HG_DIVERGED_ITS,
                   LLS_DIVERGED_ITS, KSP_CONVERGED_RTOL));
  PetscCall(Reason(k, "-lls_fpm_step 50 -lls_rtol 1e-4 -lls_max_it 1000", HG_DIVERGED_LOWER,
                   LLS_DIVERGED_DTOL, KSP_CONVERGED_ITERATING));
  PetscCall(Reason(k, "-lls_fpm_step 1e200 -lls_max_it 9", HG_DIVERGED_LOWER, LLS_DIVERGED_NANORINF,
                   KSP_CONVERGED_ITERATING));
  PetscCall(Reason(k, "-lls_fpm_step 0.4 -hg_ksp_type richardson -hg_fpm_step 50 -hg_ksp_rtol 1e-6",
                   HG_DIVERGED_ADJOINT, LLS_CONVERGED_ITS, KSP_DIVERGED_DTOL));
  PetscFunctionReturn(0);
}

/* A fixed number of steps of a diverging fixed-point method: no tolerance to miss, but what is not finite is
   never fine. */
static PetscErrorCode NotFinite(Case *k)
{
  HGReport report;
  PetscReal f;
  HG hg;

  PetscFunctionBegin;
  PetscCall(HGMake(k->blp, NULL,
                   "-lls_fpm_step 0.4 -hg_ksp_type richardson -hg_fpm_step 1e50 -hg_ksp_rtol 0 "
                   "-hg_ksp_max_it 20",
                   &hg));
  PetscCall(HGSolve(hg, k->lambda, &f, k->g));
  PetscCall(HGGetReport(hg, &report));
  CHECK(report.reason == HG_DIVERGED_NANORINF || report.reason == HG_DIVERGED_ADJOINT, "ended by %s",
        HGConvergedReasons[report.reason]);
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

/* NaN or infinite lambda: a reason, no crash, and the object goes on working. */
static PetscErrorCode BadLambda(Case *k, const char text[])
{
  const PetscScalar bad[] = {(PetscScalar)NAN, (PetscScalar)INFINITY, 800};
  HGConvergedReason reason;
  PetscReal f, difference;
  HG hg;
  Vec lambda;

  PetscFunctionBegin;
  PetscCall(HGMake(k->blp, NULL, text, &hg));
  PetscCall(HGSolve(hg, k->lambda, &f, k->expected));
  PetscCall(VecDuplicate(k->lambda, &lambda));
  for (int i = 0; i < 3; i++) {
    PetscCall(VecSet(lambda, bad[i]));
    PetscCall(HGSolve(hg, lambda, &f, k->g));
    PetscCall(HGGetConvergedReason(hg, &reason));
    CHECK(reason == HG_DIVERGED_LOWER && PetscIsInfOrNanReal(f), "lambda %g: %s, f %g", bad[i],
          HGConvergedReasons[reason], f);
    PetscCall(HGEvaluate(hg, lambda, &f));
    PetscCall(HGGetConvergedReason(hg, &reason));
    CHECK(reason == HG_DIVERGED_LOWER && PetscIsInfOrNanReal(f), "lambda %g: %s, f %g", bad[i],
          HGConvergedReasons[reason], f);
  }
  PetscCall(HGSolve(hg, k->lambda, &f, k->g));
  PetscCall(RelativeDifference(k->g, k->expected, &difference));
  CHECK(difference == 0, "after bad values g differs by %g", difference);
  PetscCall(VecDestroy(&lambda));
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

/* The lower level's stop hook. */
static PetscErrorCode StopNow(void *ctx, PetscInt i, PetscBool *stop)
{
  PetscFunctionBegin;
  (void)ctx;
  *stop = (PetscBool)(i == 2);
  PetscFunctionReturn(0);
}

static PetscErrorCode Stopped(Case *k)
{
  HGReport report;
  PetscReal f;
  LLS lls;
  HG hg;

  PetscFunctionBegin;
  PetscCall(HGMake(k->blp, NULL, "-lls_fpm_step 0.4", &hg));
  PetscCall(HGGetLLS(hg, &lls));
  PetscCall(LLSSetStop(lls, StopNow, NULL));
  PetscCall(HGSolve(hg, k->lambda, &f, k->g));
  PetscCall(HGGetReport(hg, &report));
  CHECK(report.reason == HG_STOPPED && report.lower_its == 2, "%s after %d steps",
        HGConvergedReasons[report.reason], (int)report.lower_its);
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

/* A problem by callbacks, as a loss and as a map: grad2 E is not 0. */
static PetscErrorCode TestCallbacks(const Synthetic *s)
{
  const DenseMap gd = {FPMGD, 0.5, 0}, nesterov = {FPMNESTEROV, 0.4, 0.3}, own = {FPMPROBLEM, 1, 0};
  const PetscInt K[] = {0, 1, 5};
  Synthetic map = *s;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(BLPUSER, s, &k));
  for (int i = 0; i < 3; i++) {
    PetscCall(Neumann(&k, FPMGD, &nesterov, K[i]));
    PetscCall(Neumann(&k, FPMNESTEROV, &gd, K[i]));
  }
  PetscCall(DirectSolve(&k, KSPCG, &gd));
  PetscCall(DirectSolve(&k, KSPGMRES, &nesterov));
  PetscCall(Limit(&k));
  PetscCall(CaseDestroy(&k));
  map.map = PETSC_TRUE;
  PetscCall(CaseCreate(BLPUSER, &map, &k));
  for (int i = 0; i < 3; i++) PetscCall(Neumann(&k, FPMPROBLEM, &own, K[i]));
  PetscCall(DirectSolve(&k, KSPGMRES, &own));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

static PetscErrorCode Test(const Synthetic *s)
{
  const DenseMap gd = {FPMGD, 0.5, 0}, heavyball = {FPMHEAVYBALL, 0.4, 0.3},
                 nesterov = {FPMNESTEROV, 0.4, 0.3};
  const char *const lower_map[] = {FPMGD, FPMHEAVYBALL};
  const PetscInt K[] = {0, 1, 5};
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(BLPSOFTMAX, s, &k));
  for (int m = 0; m < 2; m++) {
    for (int i = 0; i < 3; i++) {
      PetscCall(Neumann(&k, lower_map[m], &gd, K[i]));
      PetscCall(Neumann(&k, lower_map[m], &heavyball, K[i]));
      PetscCall(Neumann(&k, lower_map[m], &nesterov, K[i]));
    }
  }
  PetscCall(DirectSolve(&k, KSPCG, &gd));
  PetscCall(DirectSolve(&k, KSPGMRES, &heavyball));
  PetscCall(Limit(&k));
  PetscCall(StepInvariance(&k));
  PetscCall(Reasons(&k));
  PetscCall(NotFinite(&k));
  PetscCall(BadLambda(&k, "-hg_type aid -lls_fpm_step 0.4 -lls_max_it 20"));
  PetscCall(BadLambda(&k, "-hg_type itd -lls_fpm_step 0.4 -lls_max_it 20"));
  PetscCall(Stopped(&k));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const Synthetic s = {.n = {13, 11, 0}, .p = 5, .c = 3, .density = 0.7, .seed = 1};

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(Test(&s));
  PetscCall(TestCallbacks(&s));
  PetscCall(TestFinalize());
  return 0;
}
