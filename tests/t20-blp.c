/* Every problem type: values and derivatives against dense references and Taylor expansions, adjoint
   identities, strong convexity, extreme points. */
#include "dense.h"

typedef struct {
  BLP blp;
  Dense *dense;
  Vec lambda, w, u, v, gw, gl, hv; /* u like lambda; v, gw, hv like w; gl like lambda */
  PetscReal *l, *at;               /* lambda and w on every rank */
} Case;

static PetscErrorCode CaseCreate(BLPType type, const Synthetic *s, Case *k)
{
  PetscInt nlambda, nw;

  PetscFunctionBegin;
  PetscCall(SyntheticProblem(TEST_COMM, type, s, &k->blp));
  PetscCall(DenseCreate(type, s, &k->dense));
  PetscCall(BLPGetSizes(k->blp, &nlambda, &nw));
  CHECK(nlambda == k->dense->nlambda && nw == k->dense->nw, "sizes %d and %d", (int)nlambda, (int)nw);
  PetscCall(BLPCreateVecs(k->blp, &k->lambda, &k->w));
  PetscCall(VecDuplicate(k->lambda, &k->u));
  PetscCall(VecDuplicate(k->lambda, &k->gl));
  PetscCall(VecDuplicate(k->w, &k->v));
  PetscCall(VecDuplicate(k->w, &k->gw));
  PetscCall(VecDuplicate(k->w, &k->hv));
  PetscCall(SyntheticLambda(k->blp, s, 1, 1, 0, k->lambda));
  PetscCall(TwofoldVecSetRandomNormal(k->w, 2));
  PetscCall(TwofoldVecSetRandomNormal(k->u, 3));
  PetscCall(TwofoldVecSetRandomNormal(k->v, 4));
  PetscCall(PetscMalloc2(nlambda, &k->l, nw, &k->at));
  PetscCall(VecGather(k->lambda, k->l));
  PetscCall(VecGather(k->w, k->at));
  PetscFunctionReturn(0);
}

static PetscErrorCode CaseDestroy(Case *k)
{
  PetscFunctionBegin;
  PetscCall(PetscFree2(k->l, k->at));
  PetscCall(VecDestroy(&k->lambda));
  PetscCall(VecDestroy(&k->w));
  PetscCall(VecDestroy(&k->u));
  PetscCall(VecDestroy(&k->v));
  PetscCall(VecDestroy(&k->gw));
  PetscCall(VecDestroy(&k->gl));
  PetscCall(VecDestroy(&k->hv));
  PetscCall(DenseDestroy(&k->dense));
  PetscCall(BLPDestroy(&k->blp));
  PetscFunctionReturn(0);
}

/* y = M a, or M^T a, for M of n rows and m columns. */
static void Product(PetscInt n, PetscInt m, const PetscReal M[], PetscBool transpose, const PetscReal a[],
                    PetscReal y[])
{
  for (PetscInt i = 0; i < (transpose ? m : n); i++) {
    y[i] = 0;
    for (PetscInt j = 0; j < (transpose ? n : m); j++) y[i] += M[transpose ? j * m + i : i * m + j] * a[j];
  }
}

/* ------------------------------------------------------------------ dense references */

static PetscErrorCode Loss(Case *k)
{
  PetscReal value, difference, *g;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(k->dense->nw, &g));
  PetscCall(BLPLossGradient(k->blp, k->lambda, k->w, &value, k->gw));
  CHECK_CLOSE(value, DenseLoss(k->dense, k->l, k->at), 1e-13, "loss");
  DenseGradient(k->dense, k->l, k->at, g);
  PetscCall(VecDifference(k->gw, g, &difference));
  CHECK(difference <= 1e-13, "gradient of the loss differs by %g", difference);
  PetscCall(VecSet(k->gw, 1e10)); /* overwritten, not added to */
  PetscCall(BLPLossGradient(k->blp, k->lambda, k->w, NULL, k->gw));
  PetscCall(VecDifference(k->gw, g, &difference));
  CHECK(difference <= 1e-13, "without the loss its gradient differs by %g", difference);
  PetscCall(PetscFree(g));
  PetscFunctionReturn(0);
}

static PetscErrorCode Upper(Case *k)
{
  PetscReal value, difference, *g, *g2;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(k->dense->nw, &g, k->dense->nlambda, &g2));
  PetscCall(VecSet(k->gl, 1e10));
  PetscCall(BLPUpper(k->blp, k->lambda, k->w, &value, k->gw, k->gl));
  CHECK_CLOSE(value, DenseUpperAt(k->dense, k->l, k->at, g, g2), 1e-13, "E");
  PetscCall(VecDifference(k->gw, g, &difference));
  CHECK(difference <= 1e-13, "grad1 E differs by %g", difference);
  PetscCall(VecDifference(k->gl, g2, &difference));
  CHECK(difference <= (k->dense->direct ? 1e-13 : 0), "grad2 E differs by %g", difference);
  PetscCall(BLPUpper(k->blp, k->lambda, k->w, &value, NULL, NULL));
  CHECK_CLOSE(value, DenseUpperAt(k->dense, k->l, k->at, NULL, NULL), 1e-13, "E alone");
  PetscCall(PetscFree2(g, g2));
  PetscFunctionReturn(0);
}

/* The lower level's own map and its products, at a point that evaluations elsewhere leave alone. */
static PetscErrorCode OwnMap(Case *k)
{
  const DenseMap map = {FPMPROBLEM, 1, 0};
  const PetscInt nw = k->dense->nw, nlambda = k->dense->nlambda;
  PetscReal difference, *J, *B, *v, *u, *y;

  PetscFunctionBegin;
  PetscCall(PetscMalloc5(nw * nw, &J, nw * nlambda, &B, nw, &v, nlambda, &u, PetscMax(nw, nlambda), &y));
  PetscCall(DenseMapDerivatives(k->dense, &map, k->l, k->at, J, B));
  PetscCall(VecGather(k->v, v));
  PetscCall(VecGather(k->u, u));
  PetscCall(PetscArraycpy(y, k->at, nw));
  PetscCall(DenseMapStep(k->dense, &map, k->l, y));
  PetscCall(BLPMapApply(k->blp, k->lambda, k->w, k->gw));
  PetscCall(VecDifference(k->gw, y, &difference));
  CHECK(difference <= 1e-13, "the map differs by %g", difference);
  PetscCall(BLPMapLinearize(k->blp, k->lambda, k->w));
  PetscCall(BLPMapApply(k->blp, k->lambda, k->v, k->gw));
  PetscCall(BLPMapJVP(k->blp, k->v, k->gw));
  Product(nw, nw, J, PETSC_FALSE, v, y);
  PetscCall(VecDifference(k->gw, y, &difference));
  CHECK(difference <= 1e-13, "jvp differs by %g", difference);
  PetscCall(BLPMapVJP(k->blp, k->v, k->gw));
  Product(nw, nw, J, PETSC_TRUE, v, y);
  PetscCall(VecDifference(k->gw, y, &difference));
  CHECK(difference <= 1e-13, "vjp differs by %g", difference);
  PetscCall(BLPMapParameterJVP(k->blp, k->u, k->gw));
  Product(nw, nlambda, B, PETSC_FALSE, u, y);
  PetscCall(VecDifference(k->gw, y, &difference));
  CHECK(difference <= 1e-13, "parameter jvp differs by %g", difference);
  PetscCall(BLPMapParameterVJP(k->blp, k->v, k->gl));
  Product(nw, nlambda, B, PETSC_TRUE, v, y);
  PetscCall(VecDifference(k->gl, y, &difference));
  CHECK(difference <= 1e-13, "parameter vjp differs by %g", difference);
  PetscCall(PetscFree5(J, B, v, u, y));
  PetscFunctionReturn(0);
}

/* The diagonal of H, where the problem gives it. */
static PetscErrorCode Diagonal(Case *k, const PetscReal H[])
{
  const PetscInt nw = k->dense->nw;
  PetscReal difference, *d;

  PetscFunctionBegin;
  PetscCall(VecSet(k->gw, 1e10));
  PetscCall(PetscPushErrorHandler(PetscReturnErrorHandler, NULL));
  const int raised = (int)BLPLossHessianDiagonal(k->blp, k->gw);
  PetscCall(PetscPopErrorHandler());
  CHECK(raised == 0 || (raised == PETSC_ERR_SUP && !k->dense->diagonal), "diagonal: error %d", raised);
  if (raised) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(nw, &d));
  for (PetscInt m = 0; m < nw; m++) d[m] = H[m * nw + m];
  PetscCall(VecDifference(k->gw, d, &difference));
  CHECK(difference <= 1e-13, "diagonal of the Hessian differs by %g", difference);
  PetscCall(PetscFree(d));
  PetscFunctionReturn(0);
}

static PetscErrorCode SecondDerivatives(Case *k)
{
  const PetscInt nw = k->dense->nw, nlambda = k->dense->nlambda;
  PetscReal difference, *H, *C, *v, *u, *y;

  PetscFunctionBegin;
  PetscCall(PetscMalloc5(nw * nw, &H, nw * nlambda, &C, nw, &v, nlambda, &u, PetscMax(nw, nlambda), &y));
  DenseHessian(k->dense, k->l, k->at, H);
  DenseCross(k->dense, k->l, k->at, C);
  PetscCall(VecGather(k->v, v));
  PetscCall(VecGather(k->u, u));
  PetscCall(BLPLossLinearize(k->blp, k->lambda, k->w));
  PetscCall(BLPLossHessianMult(k->blp, k->v, k->hv));
  Product(nw, nw, H, PETSC_FALSE, v, y);
  PetscCall(VecDifference(k->hv, y, &difference));
  CHECK(difference <= 1e-13, "Hessian product differs by %g", difference);
  PetscCall(Diagonal(k, H));
  PetscCall(VecSet(k->gw, 1e10));
  PetscCall(BLPLossCrossMult(k->blp, k->u, k->gw));
  Product(nw, nlambda, C, PETSC_FALSE, u, y);
  PetscCall(VecDifference(k->gw, y, &difference));
  CHECK(difference <= 1e-13, "cross product differs by %g", difference);
  PetscCall(VecSet(k->gl, 1e10));
  PetscCall(BLPLossCrossMultTranspose(k->blp, k->v, k->gl));
  Product(nw, nlambda, C, PETSC_TRUE, v, y);
  PetscCall(VecDifference(k->gl, y, &difference));
  CHECK(difference <= 1e-13, "transposed cross product differs by %g", difference);
  /* evaluations elsewhere leave the point of linearisation alone */
  PetscCall(BLPLossGradient(k->blp, k->lambda, k->v, NULL, k->gw));
  PetscCall(BLPUpper(k->blp, k->lambda, k->v, &difference, k->gw, NULL));
  PetscCall(BLPLossHessianMult(k->blp, k->v, k->gw));
  PetscCall(RelativeDifference(k->gw, k->hv, &difference));
  CHECK(difference == 0, "the Hessian moved by %g after evaluations elsewhere", difference);
  PetscCall(PetscFree5(H, C, v, u, y));
  PetscFunctionReturn(0);
}

/* A second lambda in the same vector, then in another one: what is kept of lambda must follow. */
static PetscErrorCode LambdaChanges(Case *k)
{
  PetscReal value, *l;
  Vec other;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(k->dense->nlambda, &l));
  for (PetscInt j = 0; j < k->dense->nlambda; j++) l[j] = k->l[j] + 1;
  PetscCall(VecShift(k->lambda, 1));
  PetscCall(BLPLossGradient(k->blp, k->lambda, k->w, &value, k->gw));
  CHECK_CLOSE(value, DenseLoss(k->dense, l, k->at), 1e-13, "loss after lambda changed");
  PetscCall(VecDuplicate(k->lambda, &other));
  PetscCall(VecFill(other, k->l));
  PetscCall(BLPLossGradient(k->blp, other, k->w, &value, k->gw));
  CHECK_CLOSE(value, DenseLoss(k->dense, k->l, k->at), 1e-13, "loss at another lambda");
  PetscCall(VecDestroy(&other));
  PetscCall(VecFill(k->lambda, k->l));
  PetscCall(PetscFree(l));
  PetscFunctionReturn(0);
}

static PetscErrorCode Evaluations(Case *k)
{
  PetscFunctionBegin;
  for (int set = 0; set < 3; set++) {
    BLPMetrics metrics, expected;
    PetscBool has;
    PetscCall(BLPHasSet(k->blp, (BLPSet)set, &has));
    CHECK(has == DenseHasSet(k->dense, set), "set %d", set);
    if (!has) {
      CHECK_RAISES(PETSC_ERR_ARG_WRONG, BLPEvaluate(k->blp, (BLPSet)set, k->lambda, k->w, &metrics));
      continue;
    }
    PetscCall(BLPEvaluate(k->blp, (BLPSet)set, k->lambda, k->w, &metrics));
    DenseEvaluate(k->dense, set, k->l, k->at, &expected);
    CHECK_CLOSE(metrics.loss, expected.loss, 1e-13, "loss of a set");
    const PetscBool none = PetscIsNanReal(expected.accuracy); /* no classes */
    CHECK((none ? PetscIsNanReal(metrics.accuracy) : metrics.accuracy == expected.accuracy) &&
              metrics.n == expected.n,
          "accuracy %g of %d, not %g of %d", metrics.accuracy, (int)metrics.n, expected.accuracy,
          (int)expected.n);
  }
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ Taylor and adjoints */

/* Remainders of the loss after its terms of order 1 and 2, of E after order 1, and of the gradient after
   order 1 in w and in lambda, at distance h along v (and u); relative to the value or gradient there. */
static PetscErrorCode Remainders(Case *k, PetscReal h, PetscReal r[5])
{
  PetscReal l0, l, E0, E, slope, curvature, norm, norm0;
  Vec w, lambda, g0, g;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(k->w, &w));
  PetscCall(VecDuplicate(k->w, &g0));
  PetscCall(VecDuplicate(k->w, &g));
  PetscCall(VecDuplicate(k->lambda, &lambda));
  PetscCall(VecWAXPY(w, h, k->v, k->w));
  PetscCall(VecWAXPY(lambda, h, k->u, k->lambda));

  PetscCall(BLPUpper(k->blp, k->lambda, k->w, &E0, g, NULL));
  PetscCall(VecDot(g, k->v, &slope));
  PetscCall(BLPUpper(k->blp, k->lambda, w, &E, NULL, NULL));
  r[2] = PetscAbsReal((E - E0 - h * slope) / E0);

  PetscCall(BLPLossGradient(k->blp, k->lambda, k->w, &l0, g0));
  PetscCall(VecNorm(g0, NORM_2, &norm0));
  PetscCall(BLPLossLinearize(k->blp, k->lambda, k->w));
  PetscCall(BLPLossHessianMult(k->blp, k->v, k->hv));
  PetscCall(VecDot(g0, k->v, &slope));
  PetscCall(VecDot(k->hv, k->v, &curvature));
  PetscCall(BLPLossCrossMult(k->blp, k->u, k->gw));
  PetscCall(BLPLossGradient(k->blp, k->lambda, w, &l, g));
  r[0] = PetscAbsReal((l - l0 - h * slope) / l0);
  r[1] = PetscAbsReal((l - l0 - h * slope - h * h / 2 * curvature) / l0);
  PetscCall(VecAXPY(g, -1, g0));
  PetscCall(VecAXPY(g, -h, k->hv));
  PetscCall(VecNorm(g, NORM_2, &norm));
  r[3] = norm / norm0;
  PetscCall(BLPLossGradient(k->blp, lambda, k->w, NULL, g));
  PetscCall(VecAXPY(g, -1, g0));
  PetscCall(VecAXPY(g, -h, k->gw));
  PetscCall(VecNorm(g, NORM_2, &norm));
  r[4] = norm / norm0;
  PetscCall(VecDestroy(&w));
  PetscCall(VecDestroy(&g0));
  PetscCall(VecDestroy(&g));
  PetscCall(VecDestroy(&lambda));
  PetscFunctionReturn(0);
}

/* The orders, or nothing but rounding: a quadratic loss, a gradient linear in lambda. */
static PetscErrorCode Taylor(Case *k)
{
  const char *const what[] = {"loss, order 1", "loss, order 2", "E", "gradient in w", "gradient in lambda"};
  const PetscReal order[] = {2, 3, 2, 2, 2};
  PetscReal r[2][5];

  PetscFunctionBegin;
  PetscCall(Remainders(k, 1e-2, r[0]));
  PetscCall(Remainders(k, 5e-3, r[1]));
  for (int m = 0; m < 5; m++) {
    const PetscReal measured = TaylorOrder(r[0][m], r[1][m]);
    if (r[0][m] <= 1e-13) continue;
    CHECK(PetscAbsReal(measured - order[m]) <= 0.05, "Taylor remainder of %s: order %g (%g, %g)", what[m],
          measured, r[0][m], r[1][m]);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Adjoints(Case *k)
{
  PetscReal left, right, a, b;
  Vec z;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(k->v, &z));
  PetscCall(TwofoldVecSetRandomNormal(z, 5));
  PetscCall(BLPLossLinearize(k->blp, k->lambda, k->w));
  PetscCall(BLPLossHessianMult(k->blp, k->v, k->hv));
  PetscCall(BLPLossHessianMult(k->blp, z, k->gw));
  PetscCall(VecDot(k->hv, z, &left));
  PetscCall(VecDot(k->gw, k->v, &right));
  PetscCall(VecNorm(k->hv, NORM_2, &a));
  PetscCall(VecNorm(z, NORM_2, &b));
  CHECK(PetscAbsReal(left - right) <= 1e-13 * a * b, "<H v, z> %.17g, <v, H z> %.17g", left, right);
  PetscCall(BLPLossCrossMult(k->blp, k->u, k->gw));
  PetscCall(BLPLossCrossMultTranspose(k->blp, z, k->gl));
  PetscCall(VecDot(k->gw, z, &left));
  PetscCall(VecDot(k->u, k->gl, &right));
  PetscCall(VecNorm(k->gw, NORM_2, &a));
  CHECK(PetscAbsReal(left - right) <= 1e-13 * a * b, "<C u, z> %.17g, <u, C^T z> %.17g", left, right);
  PetscCall(VecDestroy(&z));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ strong convexity, extremes */

/* mu of softmax is attained where all samples are 0; with a bias it is 0, and so is the lowest eigenvalue. */
static PetscErrorCode SoftmaxConvexity(const Synthetic *s, PetscReal mu, PetscReal lowest, PetscReal highest)
{
  PetscFunctionBegin;
  if (s->bias) CHECK(mu == 0 && PetscAbsReal(lowest) <= 1e-14 * highest, "mu %g, eigenvalue %g", mu, lowest);
  if (s->density == 0 && !s->bias) CHECK_CLOSE(mu, lowest, 1e-14, "mu without data");
  if (s->density > 0 && !s->bias) CHECK(mu > 0, "mu %g", mu);
  PetscFunctionReturn(0);
}

/* mu and L are bounds of the eigenvalues of the Hessian. */
static PetscErrorCode StrongConvexity(Case *k, const Synthetic *s)
{
  const PetscInt nw = k->dense->nw;
  TwofoldConstant constant;
  PetscReal *H, *e;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(nw * nw, &H, nw, &e));
  PetscCall(BLPGetStrongConvexity(k->blp, k->lambda, &constant));
  CHECK(constant.standing == k->dense->mu, "mu is %s", TwofoldStandings[constant.standing]);
  const PetscReal mu = constant.value;
  DenseHessian(k->dense, k->l, k->at, H);
  PetscCall(DenseEigenvalues(nw, H, e));
  CHECK(mu >= 0 && mu <= e[0] + 1e-14 * e[nw - 1], "mu %g above the smallest eigenvalue %g", mu, e[0]);
  PetscCall(BLPGetSmoothness(k->blp, k->lambda, &constant));
  CHECK(constant.standing == k->dense->L, "L is %s", TwofoldStandings[constant.standing]);
  if (constant.standing != TWOFOLD_UNKNOWN)
    CHECK(constant.value >= (1 - 1e-14) * e[nw - 1], "L %g below the largest eigenvalue %g", constant.value,
          e[nw - 1]);
  if (!strcmp(k->dense->type, BLPSOFTMAX)) PetscCall(SoftmaxConvexity(s, mu, e[0], e[nw - 1]));
  PetscCall(PetscFree2(H, e));
  PetscFunctionReturn(0);
}

/* Weights so large that exp() of the logits overflows: values and derivatives are finite and right. */
static PetscErrorCode Extremes(Case *k)
{
  const PetscInt nw = k->dense->nw;
  PetscReal value, difference, *g, *at;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(nw, &g, nw, &at));
  for (PetscInt m = 0; m < nw; m++) at[m] = 1e4 * k->at[m];
  PetscCall(VecScale(k->w, 1e4));
  PetscCall(BLPLossGradient(k->blp, k->lambda, k->w, &value, k->gw));
  CHECK_CLOSE(value, DenseLoss(k->dense, k->l, at), 1e-13, "loss of extreme weights");
  DenseGradient(k->dense, k->l, at, g);
  PetscCall(VecDifference(k->gw, g, &difference));
  CHECK(difference <= 1e-13, "gradient at extreme weights differs by %g", difference);
  PetscCall(BLPUpper(k->blp, k->lambda, k->w, &value, k->gw, NULL));
  CHECK_CLOSE(value, DenseUpperAt(k->dense, k->l, at, NULL, NULL), 1e-13, "E of extreme weights");
  PetscCall(BLPLossLinearize(k->blp, k->lambda, k->w));
  PetscCall(BLPLossHessianMult(k->blp, k->v, k->hv));
  PetscCall(VecNorm(k->hv, NORM_2, &value));
  CHECK(!PetscIsInfOrNanReal(value), "Hessian at extreme weights: %g", value);
  PetscCall(VecScale(k->w, 1e300)); /* logits of infinite size may be anything, but no crash */
  PetscCall(BLPUpper(k->blp, k->lambda, k->w, &value, k->gw, NULL));
  PetscCall(VecFill(k->w, k->at));
  PetscCall(PetscFree2(g, at));
  PetscFunctionReturn(0);
}

static PetscErrorCode Test(BLPType type, const Synthetic *s)
{
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(type, s, &k));
  PetscCall(Upper(&k));
  PetscCall(Evaluations(&k));
  PetscCall(BLPTestDerivatives(k.blp, k.lambda, k.w, NULL));
  if (s->map) {
    PetscCall(OwnMap(&k));
    PetscCall(CaseDestroy(&k));
    PetscFunctionReturn(0);
  }
  PetscCall(Loss(&k));
  PetscCall(SecondDerivatives(&k));
  PetscCall(LambdaChanges(&k));
  if (s->density > 0) PetscCall(Taylor(&k));
  PetscCall(Adjoints(&k));
  PetscCall(StrongConvexity(&k, s));
  if (s->density > 0) PetscCall(Extremes(&k));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* What a problem with samples must refuse before it crashes. */
static PetscErrorCode Refusals(BLPType type)
{
  const Synthetic s = {.n = {6, 6, 0}, .p = 9 /* an image, too */, .c = 2, .density = 0.5, .seed = 1};
  DataSet train;
  BLP blp;
  Vec v;

  PetscFunctionBegin;
  PetscCall(BLPCreate(TEST_COMM, &blp));
  CHECK_RAISES(PETSC_ERR_ARG_TYPENOTSET, BLPSetUp(blp));
  CHECK_RAISES(PETSC_ERR_ARG_UNKNOWN_TYPE, BLPSetType(blp, "sotfmax"));
  PetscCall(BLPSetType(blp, type));
  CHECK_RAISES(PETSC_ERR_USER_INPUT, BLPSetUp(blp)); /* no data */
  PetscCall(SyntheticDataSet(TEST_COMM, &s, 0, &train));
  PetscCall(BLPSetData(blp, train, NULL, NULL));
  if (SyntheticGetType(type).without_val)
    PetscCall(BLPSetUp(blp));
  else
    CHECK_RAISES(PETSC_ERR_ARG_WRONGSTATE, BLPSetUp(blp)); /* no validation samples */
  PetscCall(DataSetDestroy(&train));
  PetscCall(BLPDestroy(&blp));
  PetscCall(SyntheticProblem(TEST_COMM, type, &s, &blp));
  PetscCall(BLPCreateVecs(blp, NULL, &v));
  CHECK_RAISES(PETSC_ERR_ARG_WRONGSTATE, BLPLossHessianMult(blp, v, v)); /* no point yet */
  PetscCall(VecDestroy(&v));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const Synthetic cases[] = {
      {.n = {13, 11, 9}, .p = 5, .c = 3, .density = 0.7, .seed = 1},
      {.n = {13, 11, 0}, .p = 5, .c = 3, .density = 0.7, .bias = PETSC_TRUE, .seed = 2},
      {.n = {4, 3, 2}, .p = 9, .c = 2, .density = 0.8, .seed = 3},
      {.n = {30, 20, 10}, .p = 1, .c = 4, .density = 1, .seed = 4},
      {.n = {7, 5, 3}, .p = 3, .c = 2, .density = 0, .seed = 5},
      {.n = {7, 5, 3}, .p = 3, .c = 2, .density = 0, .bias = PETSC_TRUE, .seed = 6},
  };
  const char **types;
  PetscInt ntypes;

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(BLPGetRegistered(&ntypes, &types));
  CHECK(ntypes > 0, "no problem is registered");
  for (PetscInt t = 0; t < ntypes; t++) {
    const SyntheticType own = SyntheticGetType(types[t]);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
      Synthetic s = cases[i];
      if (!own.only_map) PetscCall(Test(types[t], &s));
      for (int tie = BLP_TIE_OWN + 1; tie <= BLP_TIE_SCALAR && !own.without_ties; tie++) {
        s.tie = (BLPTie)tie;
        PetscCall(Test(types[t], &s));
      }
      s.tie = BLP_TIE_OWN;
      s.map = own.has_map;
      if (s.map) PetscCall(Test(types[t], &s));
    }
    if (!own.without_data) PetscCall(Refusals(types[t]));
  }
  PetscCall(PetscFree(types));
  PetscCall(TestFinalize());
  return 0;
}
