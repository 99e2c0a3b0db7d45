/* An optimal step that is differentiated: d2Phi of every map over every problem that gives the gradients of
   mu and L, against differences and its transpose; iterative differentiation is then the gradient of f_t
   whose step follows lambda; the default is a constant; what is refused. */
#include <twofold/blpuser.h>
#include "problem.h"

static const char *const maps[] = {FPMGD, FPMHEAVYBALL, FPMNESTEROV};
enum { nmaps = sizeof(maps) / sizeof(maps[0]) };

/* ------------------------------------------------------------------ constants of a problem by callbacks */

/* mu = 0.3 + |lambda|^2 / 50, L = 6 + sin(sum lambda): nothing to do with the loss, smooth, and dense in
 * lambda. */
static PetscErrorCode UserMu(BLP blp, Vec lambda, PetscReal *mu, void *ctx)
{
  PetscReal norm;

  PetscFunctionBegin;
  (void)blp, (void)ctx;
  PetscCall(VecNorm(lambda, NORM_2, &norm));
  *mu = 0.3 + norm * norm / 50;
  PetscFunctionReturn(0);
}

static PetscErrorCode UserMuGradient(BLP blp, Vec lambda, Vec g, void *ctx)
{
  PetscFunctionBegin;
  (void)blp, (void)ctx;
  PetscCall(VecAXPBY(g, 1.0 / 25, 0, lambda));
  PetscFunctionReturn(0);
}

static PetscErrorCode UserL(BLP blp, Vec lambda, PetscReal *L, void *ctx)
{
  PetscScalar sum;

  PetscFunctionBegin;
  (void)blp, (void)ctx;
  PetscCall(VecSum(lambda, &sum));
  *L = 6 + sin(sum);
  PetscFunctionReturn(0);
}

static PetscErrorCode UserLGradient(BLP blp, Vec lambda, Vec g, void *ctx)
{
  PetscScalar sum;

  PetscFunctionBegin;
  (void)blp, (void)ctx;
  PetscCall(VecSum(lambda, &sum));
  PetscCall(VecSet(g, cos(sum)));
  PetscFunctionReturn(0);
}

/* The problem with its lambda and a direction; of callbacks, with these constants. */
typedef struct {
  BLP blp;
  Vec lambda, d, g, g2;
  PetscBool constant; /* mu and L do not depend on lambda */
} Case;

static PetscErrorCode CaseCreate(BLPType type, const Synthetic *s, Case *k)
{
  PetscFunctionBegin;
  PetscCall(SyntheticProblem(TEST_COMM, type, s, &k->blp));
  if (!strcmp(type, BLPUSER)) {
    PetscCall(BLPUserSetConstantFunctions(k->blp, UserMu, UserL, NULL));
    PetscCall(BLPUserSetConstantGradients(k->blp, UserMuGradient, UserLGradient));
  }
  PetscCall(BLPCreateVecs(k->blp, &k->lambda, NULL));
  PetscCall(VecDuplicate(k->lambda, &k->d));
  PetscCall(VecDuplicate(k->lambda, &k->g));
  PetscCall(VecDuplicate(k->lambda, &k->g2));
  PetscCall(SyntheticLambda(k->blp, s, 7, 0.7, 0.5, k->lambda));
  PetscCall(TwofoldVecSetRandomNormal(k->d, 8));
  PetscFunctionReturn(0);
}

static PetscErrorCode CaseDestroy(Case *k)
{
  PetscFunctionBegin;
  PetscCall(VecDestroy(&k->lambda));
  PetscCall(VecDestroy(&k->d));
  PetscCall(VecDestroy(&k->g));
  PetscCall(VecDestroy(&k->g2));
  PetscCall(BLPDestroy(&k->blp));
  PetscFunctionReturn(0);
}

/* Whether the problem gives mu > 0 and L with their gradients, so that all maps can follow them; and whether
   there is anything to follow. */
static PetscErrorCode Follows(Case *k, PetscBool *follows)
{
  TwofoldConstant mu, L;

  PetscFunctionBegin;
  PetscCall(BLPGetStrongConvexity(k->blp, k->lambda, &mu));
  PetscCall(BLPGetSmoothness(k->blp, k->lambda, &L));
  *follows = (PetscBool)(mu.standing && L.standing && mu.value > 0);
  if (!*follows) PetscFunctionReturn(0);
  PetscCall(PetscPushErrorHandler(PetscReturnErrorHandler, NULL));
  const int raised[] = {(int)BLPGetStrongConvexityGradient(k->blp, k->lambda, k->g),
                        (int)BLPGetSmoothnessGradient(k->blp, k->lambda, k->g)};
  PetscCall(PetscPopErrorHandler());
  for (int i = 0; i < 2; i++) {
    CHECK(!raised[i] || raised[i] == PETSC_ERR_SUP, "a gradient of the constants raised %d", raised[i]);
    if (raised[i]) *follows = PETSC_FALSE;
  }
  if (!*follows) PetscFunctionReturn(0);
  PetscReal norm[2];
  PetscCall(BLPGetStrongConvexityGradient(k->blp, k->lambda, k->g));
  PetscCall(VecNorm(k->g, NORM_2, &norm[0]));
  PetscCall(BLPGetSmoothnessGradient(k->blp, k->lambda, k->g));
  PetscCall(VecNorm(k->g, NORM_2, &norm[1]));
  k->constant = (PetscBool)(norm[0] == 0 && norm[1] == 0);
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ products */

static PetscErrorCode MapCreate(Case *k, FPMType type, FPM *fpm)
{
  PetscFunctionBegin;
  PetscCall(FPMCreate(TEST_COMM, fpm));
  PetscCall(FPMSetBLP(*fpm, k->blp));
  PetscCall(FPMSetType(*fpm, type));
  PetscCall(FPMSetOptimalStep(*fpm, FPM_CONSTANTS_FORMULA));
  PetscCall(FPMSetDifferentiateStep(*fpm, PETSC_TRUE));
  PetscFunctionReturn(0);
}

/* Phi(x, lambda + h d), its step chosen there. */
static PetscErrorCode Ahead(Case *k, FPM fpm, State x, PetscReal h, State y)
{
  Vec lambda;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(k->lambda, &lambda));
  PetscCall(VecWAXPY(lambda, h, k->d, k->lambda));
  PetscCall(StateCopy(x, y));
  PetscCall(FPMPrepare(fpm, lambda));
  PetscCall(FPMStep(fpm, lambda, y, NULL));
  PetscCall(FPMPrepare(fpm, k->lambda));
  PetscCall(VecDestroy(&lambda));
  PetscFunctionReturn(0);
}

/* ||Phi(x, lambda + h d) - Phi(x, lambda) - h d2Phi d|| */
static PetscErrorCode Remainder(Case *k, FPM fpm, State x, State product, PetscReal h, PetscReal *r)
{
  State y, z;

  PetscFunctionBegin;
  PetscCall(FPMCreateState(fpm, &y));
  PetscCall(FPMCreateState(fpm, &z));
  PetscCall(Ahead(k, fpm, x, 0, z));
  PetscCall(Ahead(k, fpm, x, h, y));
  PetscCall(StateAYPX(z, -1, y));
  for (PetscInt i = 0; i < z->n; i++) PetscCall(VecAXPY(z->v[i], -h, product->v[i]));
  PetscCall(StateNorm(z, r));
  PetscCall(StateDestroy(&y));
  PetscCall(StateDestroy(&z));
  PetscFunctionReturn(0);
}

static PetscErrorCode Products(Case *k, FPMType type)
{
  PetscScalar left, right;
  PetscReal r[2], a, b, plain;
  State x, v, y, y2;
  FPM fpm;

  PetscFunctionBegin;
  PetscCall(MapCreate(k, type, &fpm));
  PetscCall(FPMPrepare(fpm, k->lambda));
  State *const states[] = {&x, &v, &y, &y2};
  for (int i = 0; i < 4; i++) PetscCall(FPMCreateState(fpm, states[i]));
  PetscCall(StateSetRandomNormal(x, 30));
  PetscCall(StateSetRandomNormal(v, 40));
  PetscCall(FPMLinearize(fpm, k->lambda, x));
  PetscCall(FPMParameterJVP(fpm, k->d, y));
  PetscCall(VecZeroEntries(k->g));
  PetscCall(FPMParameterVJPAdd(fpm, v, k->g));
  PetscCall(StateDot(y, v, &left));
  PetscCall(VecDot(k->g, k->d, &right));
  PetscCall(StateNorm(y, &a));
  PetscCall(StateNorm(v, &b));
  CHECK(PetscAbsReal(left - right) <= 1e-13 * a * b, "%s: d2Phi and its transpose: %.17g, %.17g", type, left,
        right);
  PetscCall(Remainder(k, fpm, x, y, 1e-4, &r[0]));
  PetscCall(Remainder(k, fpm, x, y, 5e-5, &r[1]));
  const PetscReal order =
      r[0] <= 1e-14 * (1 + a) ? 2 : TaylorOrder(r[0], r[1]); /* Phi may be linear in lambda */
  CHECK(PetscAbsReal(order - 2) <= 0.05, "%s: Taylor remainder of order %g (%g, %g)", type, order, r[0],
        r[1]);
  PetscCall(FPMSetDifferentiateStep(fpm, PETSC_FALSE)); /* which is another derivative */
  PetscCall(FPMPrepare(fpm, k->lambda));
  PetscCall(FPMLinearize(fpm, k->lambda, x));
  PetscCall(FPMParameterJVP(fpm, k->d, y2));
  PetscCall(StateAYPX(y2, -1, y));
  PetscCall(StateNorm(y2, &plain));
  CHECK(k->constant || plain > 1e-6 * a, "%s: the derivative of the step makes no difference (%g of %g)",
        type, plain, a);
  for (int i = 0; i < 4; i++) PetscCall(StateDestroy(states[i]));
  PetscCall(FPMDestroy(&fpm));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ hypergradients */

static PetscErrorCode Gradient(Case *k, FPMType type, const char more[], Vec g, HG *hg)
{
  char text[320];
  HGConvergedReason reason;
  PetscReal f;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(text, sizeof(text), "-lls_fpm_type %s -lls_fpm_step optimal %s", type, more));
  PetscCall(HGMake(k->blp, NULL, text, hg));
  PetscCall(HGSolve(*hg, k->lambda, &f, g));
  PetscCall(HGGetConvergedReason(*hg, &reason));
  CHECK(reason > 0, "%s: ended by %s", text, HGConvergedReasons[reason]);
  PetscFunctionReturn(0);
}

/* The gradient of f_t along d by central differences, the step chosen at each point, extrapolated. */
static PetscErrorCode Slope(Case *k, HG hg, PetscReal *slope)
{
  const PetscReal h = 2e-3;
  PetscReal f[4];
  Vec lambda;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(k->lambda, &lambda));
  for (int i = 0; i < 4; i++) {
    PetscCall(VecWAXPY(lambda, (i % 2 ? -h : h) / (i < 2 ? 1 : 2), k->d, k->lambda));
    PetscCall(HGEvaluate(hg, lambda, &f[i]));
  }
  PetscCall(VecDestroy(&lambda));
  *slope = (4 * (f[2] - f[3]) / h - (f[0] - f[1]) / (2 * h)) / 3;
  PetscFunctionReturn(0);
}

static PetscErrorCode Hypergradients(Case *k, FPMType type)
{
  const char *const follow = "-hg_type itd -lls_max_it 6 -lls_fpm_differentiate_step";
  PetscReal slope = 0, difference, norm;
  PetscScalar along;
  char text[160];
  HG hg;

  PetscFunctionBegin;
  PetscCall(Gradient(k, type, follow, k->g, &hg));
  PetscCall(VecDot(k->g, k->d, &along));
  PetscCall(Slope(k, hg, &slope));
  CHECK_CLOSE(along, slope, 1e-8, "the gradient of f_t whose step follows lambda");
  PetscCall(HGTest(hg, k->lambda, NULL)); /* raises where the order is not 2 */
  PetscCall(HGDestroy(&hg));
  PetscCall(PetscSNPrintf(text, sizeof(text), "%s -hg_itd_mode forward -hg_itd_block 2", follow));
  PetscCall(Gradient(k, type, text, k->g2, &hg));
  PetscCall(RelativeDifference(k->g2, k->g, &difference));
  CHECK(difference <= 1e-12, "%s: forward mode differs by %g", type, difference);
  PetscCall(HGDestroy(&hg));
  PetscCall(Gradient(k, type, "-hg_type itd -lls_max_it 6", k->g2, &hg)); /* the default: a constant */
  PetscCall(HGTest(hg, k->lambda, NULL));
  PetscCall(HGDestroy(&hg));
  PetscCall(VecAXPY(k->g2, -1, k->g));
  PetscCall(VecNorm(k->g2, NORM_2, &difference));
  PetscCall(VecNorm(k->g, NORM_2, &norm));
  CHECK(k->constant || difference > 1e-6 * norm,
        "%s: the derivative of the step makes no difference (%g of %g)", type, difference, norm);
  PetscFunctionReturn(0);
}

/* At the fixed point the step does not matter: aid does not see it, and itd ends there. */
static PetscErrorCode Limit(Case *k, FPMType type)
{
  const char *const aid =
      "-hg_type aid -lls_max_it 20000 -lls_rtol 1e-14 -hg_ksp_rtol 1e-13 -hg_ksp_type gmres "
      "-hg_fpm_step optimal";
  PetscReal difference;
  char text[240];
  HG hg;

  PetscFunctionBegin;
  PetscCall(Gradient(k, type, aid, k->g, &hg));
  PetscCall(HGDestroy(&hg));
  PetscCall(PetscSNPrintf(text, sizeof(text), "%s -hg_fpm_differentiate_step", aid));
  PetscCall(Gradient(k, type, text, k->g2, &hg));
  PetscCall(RelativeDifference(k->g2, k->g, &difference));
  CHECK(difference <= 1e-10, "aid at the fixed point: differs by %g", difference);
  PetscCall(HGDestroy(&hg));
  PetscCall(Gradient(k, type, "-hg_type itd -lls_max_it 20000 -lls_rtol 1e-14 -lls_fpm_differentiate_step",
                     k->g2, &hg));
  PetscCall(RelativeDifference(k->g2, k->g, &difference));
  CHECK(difference <= 1e-8, "%s: itd in the limit differs by %g", type, difference);
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ all types; ties; refusals */

static PetscErrorCode Test(BLPType type, const Synthetic *s, PetscInt *tested)
{
  PetscBool follows = PETSC_FALSE;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(type, s, &k));
  PetscCall(Follows(&k, &follows));
  for (int m = 0; m < nmaps && follows; m++) {
    PetscCall(Products(&k, maps[m]));
    PetscCall(Hypergradients(&k, maps[m]));
  }
  if (follows && !k.constant) (*tested)++;
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

static PetscErrorCode AllTypes(const Synthetic *s)
{
  const char **types;
  PetscInt ntypes, tested = 0;

  PetscFunctionBegin;
  PetscCall(BLPGetRegistered(&ntypes, &types));
  for (PetscInt t = 0; t < ntypes; t++) PetscCall(Test(types[t], s, &tested));
  CHECK(tested >= 4, "%d problems have an optimal step that follows lambda", (int)tested);
  for (int tie = BLP_TIE_CLASS; tie <= BLP_TIE_SCALAR; tie++) {
    Synthetic tied = *s;
    tied.tie = (BLPTie)tie;
    PetscCall(Test(BLPSOFTMAX, &tied, &tested));
  }
  PetscCall(PetscFree(types));
  PetscFunctionReturn(0);
}

/* mu = exp(min lambda) / (c p) and L: where entries tie the first is differentiated; with a bias mu is 0. */
static PetscErrorCode SoftmaxTies(const Synthetic *s)
{
  PetscScalar all[32];
  Synthetic bias = *s;
  TwofoldConstant mu;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(BLPSOFTMAX, s, &k));
  PetscCall(VecSet(k.lambda, 0.25));
  for (int largest = 0; largest < 2; largest++) {
    PetscCall(largest ? BLPGetSmoothnessGradient(k.blp, k.lambda, k.g)
                      : BLPGetStrongConvexityGradient(k.blp, k.lambda, k.g));
    PetscCall(BLPGetStrongConvexity(k.blp, k.lambda, &mu));
    PetscCall(VecGather(k.g, all));
    for (PetscInt j = 0; j < s->p; j++)
      CHECK(PetscAbsReal(all[j] - (j ? 0 : mu.value)) <= 1e-15, "entry %d of the gradient is %g", (int)j,
            all[j]);
  }
  PetscCall(CaseDestroy(&k));
  bias.bias = PETSC_TRUE;
  PetscCall(CaseCreate(BLPSOFTMAX, &bias, &k));
  PetscCall(BLPGetStrongConvexityGradient(k.blp, k.lambda, k.g));
  PetscReal norm;
  PetscCall(VecNorm(k.g, NORM_2, &norm));
  CHECK(norm == 0, "mu is 0 with a bias, its gradient %g", norm);
  PetscCall(Products(&k, FPMGD)); /* step 1/L */
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

static PetscErrorCode Refusals(const Synthetic *s)
{
  PetscBool differentiate;
  HGReport r;
  FPM fpm;
  Case k;
  HG hg;

  PetscFunctionBegin;
  PetscCall(CaseCreate(BLPUSER, s, &k));
  PetscCall(MapCreate(&k, FPMGD, &fpm));
  PetscCall(FPMSetOptimalStep(fpm, FPM_CONSTANTS_COMPUTED));
  CHECK_RAISES(PETSC_ERR_SUP, FPMSetUp(fpm));
  PetscCall(FPMSetStep(fpm, 0.1)); /* a number has nothing to differentiate */
  PetscCall(FPMSetUp(fpm));
  PetscCall(FPMGetDifferentiateStep(fpm, &differentiate));
  CHECK(!differentiate, "a number is differentiated");
  PetscCall(FPMSetOptimalStep(fpm, FPM_CONSTANTS_FORMULA));
  PetscCall(FPMPrepare(fpm, k.lambda));
  PetscCall(FPMGetDifferentiateStep(fpm, &differentiate));
  CHECK(differentiate, "the optimal step is not differentiated again");
  PetscCall(BLPUserSetConstantGradients(k.blp, NULL, UserLGradient));
  CHECK_RAISES(PETSC_ERR_SUP, FPMPrepare(fpm, k.lambda));
  PetscCall(BLPUserSetConstantFunctions(k.blp, NULL, UserL, NULL));
  PetscCall(BLPUserSetConstants(k.blp, 0.2, PETSC_DEFAULT, PETSC_DEFAULT)); /* a number's gradient is 0 */
  PetscCall(FPMPrepare(fpm, k.lambda));
  PetscCall(FPMDestroy(&fpm));
  PetscCall(CaseDestroy(&k));
  PetscCall(CaseCreate(BLPSOFTMAX, s, &k));
  PetscCall(Gradient(
      &k, FPMGD, "-hg_type itd -lls_max_it 6 -hg_certificate bound -lls_fpm_differentiate_step", k.g, &hg));
  PetscCall(HGGetReport(hg, &r));
  CHECK(!r.bound.standing && strstr(r.bound.origin, "constant"), "a bound: %s", r.bound.origin);
  PetscCall(HGDestroy(&hg));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const Synthetic plain = {.n = {13, 11, 0}, .p = 5, .c = 3, .density = 0.7, .seed = 1};
  Case k;

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(AllTypes(&plain));
  PetscCall(SoftmaxTies(&plain));
  PetscCall(CaseCreate(BLPSOFTMAX, &plain, &k));
  PetscCall(Limit(&k, FPMGD));
  PetscCall(Limit(&k, FPMHEAVYBALL));
  PetscCall(Limit(&k, FPMNESTEROV));
  PetscCall(CaseDestroy(&k));
  PetscCall(Refusals(&plain));
  PetscCall(TestFinalize());
  return 0;
}
