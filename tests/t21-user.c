/* Problems by callbacks: what is missing is named, errors are passed on, defaults follow the lower level; a
   map that is a gradient step gives what the loss gives; constants, bounds, evaluation, context. */
#include "files.h"
#include "problem.h"

static PetscErrorCode MakeExample(PetscBool map, int *freed, BLP *blp)
{
  UserProblem *user = NULL;

  PetscFunctionBegin;
  PetscCall(UserProblemCreate(TEST_COMM, 9, 7, 4, 6, 1, &user));
  user->freed = freed;
  PetscCall(BLPCreate(TEST_COMM, blp));
  PetscCall(BLPSetType(*blp, BLPUSER));
  PetscCall(UserProblemSet(*blp, user, map));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ what is missing */

static PetscErrorCode Missing(void)
{
  BLPMetrics metrics;
  PetscReal E;
  PetscBool has;
  Vec lambda, w, y, g;
  BLP blp;

  PetscFunctionBegin;
  PetscCall(BLPCreate(TEST_COMM, &blp));
  CHECK_SAYS(PETSC_ERR_ARG_WRONG, "BLPSetType(blp, BLPUSER)", BLPUserSetUpper(blp, UserUpper));
  PetscCall(BLPSetType(blp, BLPUSER));
  CHECK_SAYS(PETSC_ERR_ARG_WRONGSTATE, "BLPUserSetVecs() or BLPUserSetSizes()", BLPSetUp(blp));
  PetscCall(BLPUserSetSizes(blp, PETSC_DECIDE, 3, PETSC_DECIDE, 5));
  CHECK_SAYS(PETSC_ERR_ARG_WRONGSTATE, "BLPUserSetUpper()", BLPSetUp(blp));
  PetscCall(BLPUserSetUpper(blp, UserUpper));
  CHECK_SAYS(PETSC_ERR_ARG_WRONGSTATE, "BLPUserSetLoss() or BLPUserSetMap()", BLPSetUp(blp));
  PetscCall(BLPDestroy(&blp));

  PetscCall(MakeExample(PETSC_FALSE, NULL, &blp));
  PetscCall(BLPUserSetLoss(blp, UserGradient, NULL, NULL, NULL));
  PetscCall(BLPCreateVecs(blp, &lambda, &w));
  PetscCall(VecDuplicate(w, &y));
  PetscCall(VecDuplicate(lambda, &g));
  CHECK_SAYS(PETSC_ERR_ARG_WRONGSTATE, "BLPLossLinearize()", BLPLossHessianMult(blp, w, y));
  PetscCall(BLPLossLinearize(blp, lambda, w));
  CHECK_SAYS(PETSC_ERR_SUP, "the user problem has no Hessian product: BLPUserSetLoss()",
             BLPLossHessianMult(blp, w, y));
  PetscCall(BLPUserSetLossDiagonal(blp, NULL));
  CHECK_SAYS(PETSC_ERR_SUP, "no diagonal of the Hessian: BLPUserSetLossDiagonal()",
             BLPLossHessianDiagonal(blp, y));
  CHECK_SAYS(PETSC_ERR_SUP, "no cross product: BLPUserSetLoss()", BLPLossCrossMult(blp, lambda, y));
  CHECK_SAYS(PETSC_ERR_SUP, "the user problem has no cross product transposed: BLPUserSetLoss()",
             BLPLossCrossMultTranspose(blp, w, g));
  CHECK_SAYS(PETSC_ERR_SUP, "no map: BLPUserSetMap()", BLPMapApply(blp, lambda, w, y));
  CHECK_SAYS(PETSC_ERR_SUP, "no map: BLPUserSetMap()", BLPMapLinearize(blp, lambda, w));
  CHECK_SAYS(PETSC_ERR_ARG_WRONG, "BLPUserSetEvaluate()", BLPEvaluate(blp, BLP_VAL, lambda, w, &metrics));
  PetscCall(BLPHasSet(blp, BLP_VAL, &has));
  CHECK(!has, "a set of samples");
  PetscCall(BLPTestDerivatives(blp, lambda, w, NULL)); /* of what there is */
  PetscCall(BLPUserSetMap(blp, UserMap, NULL, NULL, NULL, NULL, PETSC_FALSE));
  CHECK_SAYS(PETSC_ERR_ARG_WRONGSTATE, "BLPMapLinearize()", BLPMapJVP(blp, w, y));
  PetscCall(BLPMapLinearize(blp, lambda, w));
  CHECK_SAYS(PETSC_ERR_SUP, "jvp of its map: BLPUserSetMap()", BLPMapJVP(blp, w, y));
  CHECK_SAYS(PETSC_ERR_SUP, "vjp of its map: BLPUserSetMap()", BLPMapVJP(blp, w, y));
  CHECK_SAYS(PETSC_ERR_SUP, "parameter jvp of its map: BLPUserSetMap()", BLPMapParameterJVP(blp, lambda, y));
  CHECK_SAYS(PETSC_ERR_SUP, "parameter vjp of its map: BLPUserSetMap()", BLPMapParameterVJP(blp, w, g));
  PetscCall(BLPUserSetUpper(blp, NULL));
  CHECK_SAYS(PETSC_ERR_SUP, "BLPUserSetUpper()", BLPUpper(blp, lambda, w, &E, NULL, NULL));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&w));
  PetscCall(VecDestroy(&y));
  PetscCall(VecDestroy(&g));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ errors, context, constants, bounds */

static PetscErrorCode Fails(BLP blp, Vec lambda, Vec w, PetscReal *E, Vec g1, Vec g2, void *ctx)
{
  PetscFunctionBegin;
  (void)blp;
  (void)lambda;
  (void)w;
  (void)E;
  (void)g1;
  (void)g2;
  (void)ctx;
  SETERRQ(TEST_COMM, PETSC_ERR_LIB, "the simulation failed");
}

static PetscErrorCode TwoSets(BLP blp, BLPSet set, Vec lambda, Vec w, BLPMetrics *metrics, void *ctx)
{
  PetscFunctionBegin;
  (void)blp;
  (void)lambda;
  (void)w;
  (void)ctx;
  *metrics = (BLPMetrics){.loss = 1 + set, .n = 10};
  PetscFunctionReturn(0);
}

static PetscErrorCode Negative(BLP blp, Vec lambda, PetscReal *value, void *ctx)
{
  PetscFunctionBegin;
  (void)blp;
  (void)lambda;
  (void)ctx;
  *value = -1;
  PetscFunctionReturn(0);
}

/* nu1 alone: the radius */
static PetscErrorCode OneLipschitz(BLP blp, Vec lambda, Vec w, PetscReal radius, BLPUserLipschitz *c,
                                   void *ctx)
{
  PetscFunctionBegin;
  (void)blp;
  (void)lambda;
  (void)w;
  (void)ctx;
  c->nu1 = radius;
  PetscFunctionReturn(0);
}

static PetscErrorCode LipschitzConstants(BLP blp, Vec lambda, Vec w)
{
  BLPLipschitz c;

  PetscFunctionBegin;
  PetscCall(BLPUserSetLipschitz(blp, OneLipschitz, NULL));
  PetscCall(BLPGetLipschitz(blp, PETSC_FALSE, lambda, w, 3, &c));
  CHECK(c.nu1.standing == TWOFOLD_USER && c.nu1.value == 3, "nu1 is %g", c.nu1.value);
  CHECK(!c.eta1.standing && !c.eta2.standing && !c.nu2.standing && !c.L_Phi.standing,
        "what was not given is known");
  PetscCall(BLPGetLipschitz(blp, PETSC_TRUE, lambda, w, 3, &c));
  CHECK(!c.nu1.standing, "nu1 of the map is %g", c.nu1.value);
  CHECK_SAYS(PETSC_ERR_ARG_OUTOFRANGE, "the user problem's nu1 is -1",
             BLPGetLipschitz(blp, PETSC_FALSE, lambda, w, -1, &c));
  PetscCall(BLPUserSetLipschitz(blp, NULL, NULL));
  PetscCall(BLPGetLipschitz(blp, PETSC_FALSE, lambda, w, 3, &c));
  CHECK(!c.nu1.standing, "nu1 is still %g", c.nu1.value);
  PetscFunctionReturn(0);
}

static PetscErrorCode Constants(BLP blp, Vec lambda)
{
  const PetscReal unknown = (PetscReal)PETSC_DEFAULT;
  TwofoldConstant c;

  PetscFunctionBegin;
  PetscCall(BLPUserSetConstantFunctions(blp, NULL, NULL, NULL));
  PetscCall(BLPGetContraction(blp, lambda, &c));
  CHECK(c.standing == TWOFOLD_UNKNOWN && PetscIsNanReal(c.value), "q is %g", c.value);
  PetscCall(BLPUserSetConstants(blp, 0.5, 2, unknown));
  PetscCall(BLPGetStrongConvexity(blp, lambda, &c));
  CHECK(c.standing == TWOFOLD_USER && c.value == 0.5, "mu is %g", c.value);
  PetscCall(BLPGetSmoothness(blp, lambda, &c));
  CHECK(c.standing == TWOFOLD_USER && c.value == 2, "L is %g", c.value);
  PetscCall(BLPUserSetConstants(blp, unknown, unknown, 0.9));
  PetscCall(BLPGetContraction(blp, lambda, &c));
  CHECK(c.standing == TWOFOLD_USER && c.value == 0.9, "q is %g", c.value);
  PetscCall(BLPGetStrongConvexity(blp, lambda, &c));
  CHECK(c.standing == TWOFOLD_UNKNOWN, "mu is %g", c.value);
  CHECK_SAYS(PETSC_ERR_ARG_OUTOFRANGE, "mu = -1", BLPUserSetConstants(blp, -1, 2, unknown));
  CHECK_SAYS(PETSC_ERR_ARG_OUTOFRANGE, "L = 1", BLPUserSetConstants(blp, 2, 1, unknown));
  CHECK_SAYS(PETSC_ERR_ARG_OUTOFRANGE, "q = ", BLPUserSetConstants(blp, 1, 1, (PetscReal)NAN));
  PetscCall(BLPUserSetConstantFunctions(blp, Negative, NULL, NULL));
  CHECK_SAYS(PETSC_ERR_ARG_OUTOFRANGE, "the user problem's mu is -1", BLPGetStrongConvexity(blp, lambda, &c));
  PetscFunctionReturn(0);
}

static PetscErrorCode Bounds(BLP blp, Vec lambda, Vec w)
{
  Vec lower, upper, low, up;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(lambda, &lower));
  PetscCall(VecDuplicate(lambda, &upper));
  PetscCall(VecSet(lower, -1));
  PetscCall(VecSet(upper, 1));
  PetscCall(BLPGetBounds(blp, &low, &up));
  CHECK(!low && !up, "bounds that nobody set");
  PetscCall(BLPSetBounds(blp, lower, NULL));
  PetscCall(BLPGetBounds(blp, &low, &up));
  CHECK(low == lower && !up, "the bounds are others");
  PetscCall(BLPSetBounds(blp, lower, upper));
  PetscCall(BLPSetBounds(blp, lower, lower)); /* a fixed lambda */
  CHECK_SAYS(PETSC_ERR_ARG_INCOMP, "in 4 entries", BLPSetBounds(blp, upper, lower));
  CHECK_SAYS(PETSC_ERR_ARG_SIZ, "the upper bound has 6 entries, lambda 4", BLPSetBounds(blp, lower, w));
  PetscCall(BLPSetBounds(blp, NULL, NULL));
  PetscCall(VecDestroy(&lower));
  PetscCall(VecDestroy(&upper));
  PetscFunctionReturn(0);
}

static PetscErrorCode Parts(void)
{
  int freed = 0;
  BLPMetrics metrics;
  UserProblem *user;
  PetscReal E;
  PetscBool has;
  Vec lambda, w;
  BLP blp;

  PetscFunctionBegin;
  PetscCall(MakeExample(PETSC_FALSE, &freed, &blp));
  PetscCall(BLPUserGetContext(blp, &user));
  CHECK(user->nw == 6, "another context");
  PetscCall(BLPCreateVecs(blp, &lambda, &w));
  PetscCall(Constants(blp, lambda));
  PetscCall(LipschitzConstants(blp, lambda, w));
  PetscCall(Bounds(blp, lambda, w));
  PetscCall(BLPUserSetEvaluate(blp, TwoSets, PETSC_FALSE, PETSC_TRUE, PETSC_TRUE));
  PetscCall(BLPHasSet(blp, BLP_TRAIN, &has));
  CHECK(!has, "training samples");
  PetscCall(BLPEvaluate(blp, BLP_TEST, lambda, w, &metrics));
  CHECK(metrics.loss == 1 + BLP_TEST, "loss %g", metrics.loss);
  CHECK_SAYS(PETSC_ERR_ARG_WRONG, "no train samples", BLPEvaluate(blp, BLP_TRAIN, lambda, w, &metrics));
  PetscCall(BLPUserSetUpper(blp, Fails));
  CHECK_SAYS(PETSC_ERR_LIB, "the simulation failed", BLPUpper(blp, lambda, w, &E, NULL, NULL));
  CHECK(freed == 0, "the context is gone");
  PetscCall(BLPUserSetContext(blp, user, UserProblemDestroy)); /* the same again */
  CHECK(freed == 0, "the context is gone");
  PetscCall(BLPSetType(blp, BLPSOFTMAX)); /* and another type */
  CHECK(freed == 1, "the context was destroyed %d times", freed);
  PetscCall(BLPDestroy(&blp));
  CHECK(freed == 1, "the context was destroyed %d times", freed);
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&w));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ a gradient step as a map */

static const PetscReal alpha = 0.4;

static PetscErrorCode StepMap(BLP blp, Vec lambda, Vec w, Vec y, void *ctx)
{
  PetscFunctionBegin;
  PetscCall(UserGradient(blp, lambda, w, NULL, y, ctx));
  PetscCall(VecAYPX(y, -alpha, w));
  PetscFunctionReturn(0);
}

static PetscErrorCode StepJVP(BLP blp, Vec lambda, Vec w, Vec v, Vec y, void *ctx)
{
  PetscFunctionBegin;
  PetscCall(UserHessian(blp, lambda, w, v, y, ctx));
  PetscCall(VecAYPX(y, -alpha, v));
  PetscFunctionReturn(0);
}

static PetscErrorCode StepParameterVJP(BLP blp, Vec lambda, Vec w, Vec v, Vec y, void *ctx)
{
  PetscFunctionBegin;
  PetscCall(UserCrossTranspose(blp, lambda, w, v, y, ctx));
  PetscCall(VecScale(y, -alpha));
  PetscFunctionReturn(0);
}

/* f and g by these options; the types that were taken. */
static PetscErrorCode Gradient(BLP blp, const char options[], PetscReal *f, Vec g, const char lower[],
                               const char adjoint[], const char solver[])
{
  FPMType type;
  KSPType ksp;
  PetscBool is_aid;
  Vec lambda;
  FPM fpm;
  LLS lls;
  HG hg;

  PetscFunctionBegin;
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(TwofoldVecSetRandomNormal(lambda, 1));
  PetscCall(HGMake(blp, NULL, options, &hg));
  PetscCall(HGSolve(hg, lambda, f, g));
  PetscCall(HGGetLLS(hg, &lls));
  PetscCall(LLSGetFPM(lls, &fpm));
  PetscCall(FPMGetType(fpm, &type));
  CHECK(!strcmp(type, lower), "%s: lower level by %s", options, type);
  PetscCall(PetscObjectTypeCompare((PetscObject)hg, HGAID, &is_aid));
  if (is_aid) {
    KSP solves;
    PetscCall(HGGetAdjointFPM(hg, &fpm));
    PetscCall(FPMGetType(fpm, &type));
    PetscCall(HGGetKSP(hg, &solves));
    PetscCall(KSPGetType(solves, &ksp));
    CHECK(!strcmp(type, adjoint) && !strcmp(ksp, solver), "%s: adjoint by %s on %s", options, ksp, type);
  }
  PetscCall(HGDestroy(&hg));
  PetscCall(VecDestroy(&lambda));
  PetscFunctionReturn(0);
}

static PetscErrorCode SameAsLoss(void)
{
  const char *const options[] = {"-hg_type itd -lls_max_it 7",
                                 "-hg_type aid -lls_max_it 7 -hg_ksp_rtol 1e-14",
                                 "-hg_type aid -lls_max_it 7 -hg_ksp_type cgne -hg_ksp_rtol 1e-14"};
  const char *const solver[] = {"", KSPCG, KSPCGNE};
  char text[160];
  PetscReal f[2], difference;
  BLP loss, map;
  Vec g[2];

  PetscFunctionBegin;
  PetscCall(MakeExample(PETSC_FALSE, NULL, &loss));
  PetscCall(MakeExample(PETSC_TRUE, NULL, &map));
  PetscCall(BLPUserSetMap(map, StepMap, StepJVP, NULL, NULL, StepParameterVJP, PETSC_TRUE));
  PetscCall(BLPUserSetLinearize(map, NULL, NULL));
  PetscCall(BLPCreateVecs(loss, &g[0], NULL));
  PetscCall(VecDuplicate(g[0], &g[1]));
  for (int i = 0; i < 3; i++) {
    PetscCall(PetscSNPrintf(text, sizeof(text), "%s -lls_fpm_step %g %s", options[i], (double)alpha,
                            i ? "-hg_fpm_step 0.4" : ""));
    PetscCall(Gradient(loss, text, &f[0], g[0], FPMGD, FPMGD, solver[i]));
    PetscCall(Gradient(map, options[i], &f[1], g[1], FPMPROBLEM, FPMPROBLEM, solver[i]));
    CHECK_CLOSE(f[0], f[1], 1e-14, options[i]);
    PetscCall(RelativeDifference(g[0], g[1], &difference));
    CHECK(difference <= 1e-12, "%s: the map's hypergradient differs by %g", options[i], difference);
  }
  PetscCall(VecDestroy(&g[0]));
  PetscCall(VecDestroy(&g[1]));
  PetscCall(BLPDestroy(&loss));
  PetscCall(BLPDestroy(&map));
  PetscFunctionReturn(0);
}

/* Types that nobody chose follow the problem, also where its callbacks come after the options. */
static PetscErrorCode Defaults(void)
{
  PetscOptions options;
  PetscReal f;
  PetscInt left;
  BLP blp;
  Vec g, lambda;
  HG hg;

  PetscFunctionBegin;
  PetscCall(MakeExample(PETSC_TRUE, NULL, &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(VecDuplicate(lambda, &g));
  PetscCall(Gradient(blp, "-lls_max_it 5", &f, g, FPMPROBLEM, FPMPROBLEM, KSPGMRES));
  PetscCall(Gradient(blp, "-lls_max_it 5 -hg_ksp_type bcgs", &f, g, FPMPROBLEM, FPMPROBLEM, KSPBCGS));
  PetscCall(OptionsUse("-lls_max_it 5 -lls_fpm_step 0.1", &options)); /* a map has no step size */
  PetscCall(HGCreate(TEST_COMM, &hg));
  PetscCall(HGSetBLP(hg, blp));
  PetscCall(HGSetFromOptions(hg));
  PetscCall(PetscOptionsAllUsed(options, &left));
  CHECK(left == 1, "%d options are left: the step of a map was read", (int)left);
  PetscCall(OptionsDrop(&options));
  PetscCall(HGDestroy(&hg));
  PetscCall(OptionsUse("-lls_max_it 5", &options));
  PetscCall(HGCreate(TEST_COMM, &hg));
  PetscCall(HGSetFromOptions(hg)); /* the problem is not known yet */
  PetscCall(HGSetBLP(hg, blp));
  PetscCall(HGSolve(hg, lambda, &f, g));
  PetscCall(OptionsDrop(&options));
  PetscCall(HGDestroy(&hg));
  PetscCall(HGCreate(TEST_COMM, &hg)); /* no options at all */
  PetscCall(HGSetBLP(hg, blp));
  PetscCall(HGSolve(hg, lambda, &f, g));
  PetscCall(HGDestroy(&hg));
  PetscCall(VecDestroy(&g));
  PetscCall(VecDestroy(&lambda));
  PetscCall(BLPDestroy(&blp));
  PetscCall(MakeExample(PETSC_FALSE, NULL, &blp));
  PetscCall(BLPCreateVecs(blp, &g, NULL));
  PetscCall(Gradient(blp, "-lls_max_it 5 -hg_fpm_type nesterov", &f, g, FPMGD, FPMNESTEROV, KSPGMRES));
  PetscCall(Gradient(blp, "-lls_max_it 5", &f, g, FPMGD, FPMGD, KSPCG));
  PetscCall(VecDestroy(&g));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* Nesterov's own y does not move with steps, and outlives the map that made it. */
static PetscErrorCode PointOfNesterov(void)
{
  PetscReal difference;
  Vec lambda, v, before, after;
  State x;
  BLP blp;
  FPM fpm;

  PetscFunctionBegin;
  PetscCall(MakeExample(PETSC_FALSE, NULL, &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, &v));
  PetscCall(VecDuplicate(v, &before));
  PetscCall(VecDuplicate(v, &after));
  PetscCall(TwofoldVecSetRandomNormal(v, 5));
  PetscCall(FPMCreate(TEST_COMM, &fpm));
  PetscCall(FPMSetBLP(fpm, blp));
  PetscCall(FPMSetType(fpm, FPMNESTEROV));
  PetscCall(FPMSetStep(fpm, alpha));
  PetscCall(FPMSetMomentum(fpm, 0.5));
  PetscCall(FPMCreateState(fpm, &x));
  PetscCall(StateSetRandomNormal(x, 7));
  PetscCall(FPMLinearize(fpm, lambda, x));
  PetscCall(BLPLossHessianMult(blp, v, before));
  PetscCall(FPMStep(fpm, lambda, x, &difference));
  PetscCall(FPMStep(fpm, lambda, x, NULL));
  PetscCall(StateDestroy(&x));
  PetscCall(FPMDestroy(&fpm));
  PetscCall(BLPLossHessianMult(blp, v, after));
  PetscCall(RelativeDifference(after, before, &difference));
  CHECK(difference == 0, "the point moved: the Hessian differs by %g", difference);
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&v));
  PetscCall(VecDestroy(&before));
  PetscCall(VecDestroy(&after));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* One theta for all of lambda: derivatives are right, and values at another theta leave the point alone. */
static PetscErrorCode Tied(void)
{
  PetscReal difference;
  PetscInt n;
  Vec theta, other, v, before, after;
  BLP blp;

  PetscFunctionBegin;
  PetscCall(MakeExample(PETSC_FALSE, NULL, &blp));
  PetscCall(BLPSetTie(blp, BLP_TIE_SCALAR));
  PetscCall(BLPCreateVecs(blp, &theta, &v));
  PetscCall(VecGetSize(theta, &n));
  CHECK(n == 1, "theta has %d entries", (int)n);
  PetscCall(VecDuplicate(theta, &other));
  PetscCall(VecDuplicate(v, &before));
  PetscCall(VecDuplicate(v, &after));
  PetscCall(VecSet(theta, 0.5));
  PetscCall(VecSet(other, 2));
  PetscCall(TwofoldVecSetRandomNormal(v, 5));
  PetscCall(BLPTestDerivatives(blp, theta, v, NULL));
  PetscCall(BLPLossLinearize(blp, theta, v));
  PetscCall(BLPLossHessianMult(blp, v, before));
  PetscCall(BLPLossGradient(blp, other, v, NULL, after));
  PetscCall(BLPLossHessianMult(blp, v, after));
  PetscCall(RelativeDifference(after, before, &difference));
  CHECK(difference == 0, "the point moved with theta: the Hessian differs by %g", difference);
  PetscCall(VecDestroy(&theta));
  PetscCall(VecDestroy(&other));
  PetscCall(VecDestroy(&v));
  PetscCall(VecDestroy(&before));
  PetscCall(VecDestroy(&after));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(Missing());
  PetscCall(Parts());
  PetscCall(SameAsLoss());
  PetscCall(Defaults());
  PetscCall(PointOfNesterov());
  PetscCall(Tied());
  PetscCall(TestFinalize());
  return 0;
}
