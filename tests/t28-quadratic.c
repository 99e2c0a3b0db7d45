/* Problem quadratic: its closed form against LAPACK on dense copies and against its own equations, for
   condition numbers up to 1e10, as a loss and as a map; its constants, which are not only proved but
   attained; the direction in which the bound of the error of a hypergradient is the error. */
#include "denseimpl.h"

typedef struct {
  QuadraticSpec spec;
  BLP blp;
  Dense *dense;
  PetscInt n, m;
  Vec lambda, w, dlambda, dw, g1, g2, y; /* dlambda, g2 like lambda */
  PetscReal *l, *at;                     /* lambda and w on every rank */
} Case;

static PetscErrorCode CaseCreate(const QuadraticSpec *q, Case *k)
{
  PetscFunctionBegin;
  k->spec = *q;
  k->n = q->n;
  k->m = q->m;
  PetscCall(QuadraticProblem(TEST_COMM, q, "", &k->blp));
  PetscCall(DenseCreateQuadratic(q, &k->dense));
  PetscCall(BLPCreateVecs(k->blp, &k->lambda, &k->w));
  Vec *const like_lambda[] = {&k->dlambda, &k->g2}, *const like_w[] = {&k->dw, &k->g1, &k->y};
  for (int i = 0; i < 2; i++) PetscCall(VecDuplicate(k->lambda, like_lambda[i]));
  for (int i = 0; i < 3; i++) PetscCall(VecDuplicate(k->w, like_w[i]));
  PetscCall(TwofoldVecSetRandomNormal(k->lambda, 1));
  PetscCall(TwofoldVecSetRandomNormal(k->w, 2));
  PetscCall(PetscMalloc2(k->m, &k->l, k->n, &k->at));
  PetscCall(VecGather(k->lambda, k->l));
  PetscCall(VecGather(k->w, k->at));
  PetscFunctionReturn(0);
}

static PetscErrorCode CaseDestroy(Case *k)
{
  Vec *const vecs[] = {&k->lambda, &k->w, &k->dlambda, &k->dw, &k->g1, &k->g2, &k->y};

  PetscFunctionBegin;
  for (int i = 0; i < 7; i++) PetscCall(VecDestroy(vecs[i]));
  PetscCall(PetscFree2(k->l, k->at));
  PetscCall(DenseDestroy(&k->dense));
  PetscCall(BLPDestroy(&k->blp));
  PetscFunctionReturn(0);
}

/* r(w, lambda) = grad_w l, or w - Phi */
static PetscErrorCode Residual(Case *k, Vec lambda, Vec w, Vec r)
{
  PetscFunctionBegin;
  if (!k->spec.map) {
    PetscCall(BLPLossGradient(k->blp, lambda, w, NULL, r));
    PetscFunctionReturn(0);
  }
  PetscCall(BLPMapApply(k->blp, lambda, w, r));
  PetscCall(VecAYPX(r, -1, w));
  PetscFunctionReturn(0);
}

/* y = (d r / d w)^T v at the point of Linearize(), and g = (d r / d lambda)^T v */
static PetscErrorCode Linearize(Case *k, Vec lambda, Vec w)
{
  PetscFunctionBegin;
  PetscCall(k->spec.map ? BLPMapLinearize(k->blp, lambda, w) : BLPLossLinearize(k->blp, lambda, w));
  PetscFunctionReturn(0);
}

static PetscErrorCode AdjointMult(Case *k, Vec v, Vec y)
{
  PetscFunctionBegin;
  if (!k->spec.map) {
    PetscCall(BLPLossHessianMult(k->blp, v, y));
    PetscFunctionReturn(0);
  }
  PetscCall(BLPMapVJP(k->blp, v, y));
  PetscCall(VecAYPX(y, -1, v));
  PetscFunctionReturn(0);
}

static PetscErrorCode CrossTranspose(Case *k, Vec v, Vec g)
{
  PetscFunctionBegin;
  if (!k->spec.map) {
    PetscCall(BLPLossCrossMultTranspose(k->blp, v, g));
    PetscFunctionReturn(0);
  }
  PetscCall(BLPMapParameterVJP(k->blp, v, g));
  PetscCall(VecScale(g, -1));
  PetscFunctionReturn(0);
}

static PetscErrorCode Lipschitz(Case *k, Vec w, PetscReal radius, BLPLipschitz *c)
{
  PetscFunctionBegin;
  PetscCall(BLPGetLipschitz(k->blp, k->spec.map, k->lambda, w, radius, c));
  const TwofoldConstant *const all[] = {&c->eta1, &c->eta2, &c->nu1, &c->nu2, &c->L_Phi};
  for (int i = 0; i < 5; i++)
    CHECK(all[i]->standing == TWOFOLD_PROVED && all[i]->error == 0 && all[i]->origin, "constant %d is %s", i,
          TwofoldStandings[all[i]->standing]);
  CHECK(c->nu1.value == 0, "nu1 %g", (double)c->nu1.value);
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ closed form */

/* w(lambda) and the gradient of f by LAPACK: with the rounding of A alone they differ by about eps kappa. */
static PetscErrorCode AgainstLapack(Case *k, PetscReal kappa)
{
  const DenseMap map = {k->spec.map ? FPMPROBLEM : FPMGD, 1, 0};
  const PetscInt n = k->n;
  const PetscReal tol = 1e-13 + 20 * PETSC_MACHINE_EPSILON * kappa;
  PetscReal *H, *b, *w, *g, f, difference;

  PetscFunctionBegin;
  PetscCall(PetscCalloc4(n * n, &H, n, &b, n, &w, k->m, &g));
  DenseHessian(k->dense, k->l, w, H);
  DenseGradient(k->dense, k->l, w, b); /* at 0 */
  for (PetscInt i = 0; i < n; i++) b[i] = -b[i];
  PetscCall(DenseSolve(n, H, b, w));
  PetscCall(DenseImplicit(k->dense, &map, k->l, w, NULL, g));
  PetscCall(VecSet(k->g2, 1e10));
  PetscCall(BLPGetExact(k->blp, k->lambda, k->y, &f, k->g2));
  PetscCall(VecDifference(k->y, w, &difference));
  CHECK(difference <= tol, "w(lambda) differs by %g, kappa %g", (double)difference, (double)kappa);
  PetscCall(VecDifference(k->g2, g, &difference));
  CHECK(difference <= 10 * tol, "the gradient differs by %g, kappa %g", (double)difference, (double)kappa);
  CHECK_CLOSE(f, DenseUpperAt(k->dense, k->l, w, NULL, NULL), 10 * tol, "f");
  PetscCall(PetscFree4(H, b, w, g));
  PetscFunctionReturn(0);
}

/* Residuals of w(lambda) and of the adjoint are rounding, whatever kappa is; the gradient is that of f. */
static PetscErrorCode AgainstEquations(Case *k)
{
  const PetscReal L = k->spec.L + k->spec.gamma * PetscExpReal(3);
  PetscReal f, alone, norm, size, slope, up, down;

  PetscFunctionBegin;
  PetscCall(BLPGetExact(k->blp, k->lambda, k->y, &f, k->g2));
  PetscCall(Residual(k, k->lambda, k->y, k->g1));
  PetscCall(VecNorm(k->g1, NORM_2, &norm));
  PetscCall(VecNorm(k->y, NORM_2, &size));
  CHECK(norm <= 1e-14 * L * size, "residual %g of w(lambda) of norm %g", (double)norm, (double)size);
  PetscCall(BLPUpper(k->blp, k->lambda, k->y, &alone, k->g1, NULL));
  CHECK_CLOSE(f, alone, 1e-15, "f and E");
  PetscCall(BLPGetExact(k->blp, k->lambda, NULL, &alone, NULL));
  CHECK(alone == f, "f alone %.17g, not %.17g", (double)alone, (double)f);
  PetscCall(BLPGetExact(k->blp, k->lambda, NULL, NULL, k->dlambda));
  PetscCall(RelativeDifference(k->dlambda, k->g2, &norm));
  CHECK(norm == 0, "the gradient alone differs by %g", (double)norm);

  PetscCall(TwofoldVecSetRandomNormal(k->dlambda, 9));
  PetscCall(VecDot(k->g2, k->dlambda, &slope));
  PetscCall(VecAXPY(k->lambda, 1e-4, k->dlambda));
  PetscCall(BLPGetExact(k->blp, k->lambda, NULL, &up, NULL));
  PetscCall(VecAXPY(k->lambda, -2e-4, k->dlambda));
  PetscCall(BLPGetExact(k->blp, k->lambda, NULL, &down, NULL));
  PetscCall(VecFill(k->lambda, k->l));
  PetscCall(VecNorm(k->g2, NORM_2, &size));
  PetscCall(VecNorm(k->dlambda, NORM_2, &norm));
  CHECK(PetscAbsReal((up - down) / 2e-4 - slope) <= 1e-6 * (size * norm), "slope %g, by differences %g",
        (double)slope, (double)((up - down) / 2e-4));
  PetscFunctionReturn(0);
}

static PetscErrorCode ClosedForm(const QuadraticSpec *q)
{
  PetscBool has;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(q, &k));
  PetscCall(BLPHasExact(k.blp, &has));
  CHECK(has, "no closed form");
  PetscCall(AgainstLapack(&k, q->L / q->mu));
  PetscCall(AgainstEquations(&k));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* A tie, the penalty, and a problem without closed form. */
static PetscErrorCode Interface(void)
{
  const QuadraticSpec q = {.n = 9, .m = 4, .mu = 0.1, .L = 1, .beta = 1, .eta1 = 1, .eta2 = 1, .gamma = 0.2};
  PetscReal f, expected, sum, slope;
  BLP own, tied, none;
  Vec lambda, theta, g, one;

  PetscFunctionBegin;
  PetscCall(QuadraticProblem(TEST_COMM, &q, "", &own));
  PetscCall(QuadraticProblem(TEST_COMM, &q, "-blp_lambda_tie scalar -blp_upper_l2 0.5", &tied));
  PetscCall(BLPCreateVecs(own, &lambda, NULL));
  PetscCall(BLPCreateVecs(tied, &theta, NULL));
  PetscCall(VecDuplicate(theta, &one));
  PetscCall(VecDuplicate(lambda, &g));
  PetscCall(VecSet(lambda, 0.3));
  PetscCall(VecSet(theta, 0.3));
  PetscCall(BLPGetExact(own, lambda, NULL, &expected, g));
  PetscCall(VecSum(g, &sum));
  PetscCall(BLPGetExact(tied, theta, NULL, &f, one));
  PetscCall(VecSum(one, &slope));
  CHECK_CLOSE(f, expected + 0.25 * 0.09, 1e-14, "f with tie and penalty");
  CHECK_CLOSE(slope, sum + 0.5 * 0.3, 1e-13, "gradient with tie and penalty");
  PetscCall(BLPCreate(TEST_COMM, &none));
  CHECK_RAISES(PETSC_ERR_SUP, BLPGetExact(none, theta, NULL, &f, one));
  PetscCall(BLPSetType(none, BLPUSER));
  CHECK_RAISES(PETSC_ERR_SUP, BLPGetExact(none, theta, NULL, &f, one));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&theta));
  PetscCall(VecDestroy(&g));
  PetscCall(VecDestroy(&one));
  PetscCall(BLPDestroy(&own));
  PetscCall(BLPDestroy(&tied));
  PetscCall(BLPDestroy(&none));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ constants */

/* ||A|| of n rows and m columns, and the norm of column j. */
static PetscErrorCode Norm(PetscInt n, PetscInt m, const PetscReal A[], PetscReal *norm)
{
  PetscReal *square, *e;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(m * m, &square, m, &e));
  for (PetscInt i = 0; i < m; i++) {
    for (PetscInt j = 0; j < m; j++) {
      long double sum = 0;
      for (PetscInt r = 0; r < n; r++) sum += (long double)A[r * m + i] * A[r * m + j];
      square[i * m + j] = (PetscReal)sum;
    }
  }
  PetscCall(DenseEigenvalues(m, square, e));
  *norm = PetscSqrtReal(PetscMax(e[m - 1], 0));
  PetscCall(PetscFree2(square, e));
  PetscFunctionReturn(0);
}

/* mu and L are the ends of the spectrum, q is ||d1Phi||. */
static PetscErrorCode Spectrum(Case *k)
{
  const DenseMap map = {FPMPROBLEM, 1, 0};
  const PetscInt n = k->n;
  TwofoldConstant mu, L, q;
  PetscReal *H, *B, *e, norm;

  PetscFunctionBegin;
  PetscCall(PetscMalloc3(n * n, &H, n * k->m, &B, n, &e));
  PetscCall(BLPGetStrongConvexity(k->blp, k->lambda, &mu));
  PetscCall(BLPGetSmoothness(k->blp, k->lambda, &L));
  PetscCall(BLPGetContraction(k->blp, k->lambda, &q));
  if (k->spec.map) {
    CHECK(mu.standing == TWOFOLD_UNKNOWN && L.standing == TWOFOLD_UNKNOWN, "mu and L of a map");
    PetscCall(DenseMapDerivatives(k->dense, &map, k->l, k->at, H, B));
    PetscCall(Norm(n, n, H, &norm));
    CHECK(q.standing == TWOFOLD_PROVED, "q is %s", TwofoldStandings[q.standing]);
    CHECK_CLOSE(q.value, norm, 1e-13, "q");
  } else {
    CHECK(q.standing == TWOFOLD_UNKNOWN, "q of a loss");
    DenseHessian(k->dense, k->l, k->at, H);
    PetscCall(DenseEigenvalues(n, H, e));
    CHECK_CLOSE(L.value, e[n - 1], 1e-14, "L");
    CHECK(PetscAbsReal(mu.value - e[0]) <= 1e-14 * L.value, "mu %g, eigenvalue %g", (double)mu.value,
          (double)e[0]);
    if (k->spec.gamma == 0) CHECK(mu.value == k->spec.mu, "mu %.17g", (double)mu.value);
  }
  PetscCall(PetscFree3(H, B, e));
  PetscFunctionReturn(0);
}

/* Differences of grad1 E along e_1, and of grad2 E along S e_1, are as long as they may be. */
static PetscErrorCode Upper(Case *k)
{
  BLPLipschitz c;
  PetscReal E, norm, size;

  PetscFunctionBegin;
  PetscCall(Lipschitz(k, k->w, 0, &c));
  CHECK(c.eta1.value == k->spec.eta1 && c.eta2.value == k->spec.eta2, "eta1 %g, eta2 %g",
        (double)c.eta1.value, (double)c.eta2.value);
  PetscCall(BLPUpper(k->blp, k->lambda, k->w, &E, k->g1, NULL));
  PetscCall(VecZeroEntries(k->dw));
  PetscCall(VecSetValue(k->dw, 0, 1, INSERT_VALUES)); /* by every rank the same */
  PetscCall(VecAssemblyBegin(k->dw));
  PetscCall(VecAssemblyEnd(k->dw));
  PetscCall(VecAXPY(k->dw, 1, k->w));
  PetscCall(BLPUpper(k->blp, k->lambda, k->dw, &E, k->y, NULL));
  PetscCall(VecAXPY(k->y, -1, k->g1));
  PetscCall(VecNorm(k->y, NORM_2, &norm));
  CHECK_CLOSE(norm, c.eta1.value, 1e-13, "eta1");

  PetscCall(VecZeroEntries(k->dlambda));
  PetscCall(VecSetValue(k->dlambda, 0, 1, INSERT_VALUES));
  PetscCall(VecAssemblyBegin(k->dlambda));
  PetscCall(VecAssemblyEnd(k->dlambda));
  PetscCall(VecAXPY(k->dlambda, 1, k->lambda));
  PetscCall(BLPUpper(k->blp, k->dlambda, k->w, &E, k->dw, NULL)); /* eta2 S e_1 more */
  PetscCall(VecAXPY(k->dw, -1, k->g1));
  PetscCall(VecNorm(k->dw, NORM_2, &size));
  PetscCall(BLPUpper(k->blp, k->lambda, k->w, &E, NULL, k->g2));
  PetscCall(VecAYPX(k->dw, 1 / size, k->w));
  PetscCall(BLPUpper(k->blp, k->lambda, k->dw, &E, NULL, k->dlambda));
  PetscCall(VecAXPY(k->dlambda, -1, k->g2));
  PetscCall(VecNorm(k->dlambda, NORM_2, &norm));
  CHECK_CLOSE(norm, c.eta2.value, 1e-13, "eta2");
  PetscFunctionReturn(0);
}

/* C = d/dlambda grad_w l at w: L_Phi of radius 0 is ||C||; the column along which a step of any radius
   lengthens it most attains L_Phi and nu2. */
static PetscErrorCode Cross(Case *k, PetscReal radius)
{
  const PetscInt n = k->n, m = k->m;
  BLPLipschitz c;
  PetscReal *C, *moved, *w, norm, longest = 0, steepest = 0;

  PetscFunctionBegin;
  PetscCall(PetscMalloc3(n * m, &C, n * m, &moved, n, &w));
  DenseCross(k->dense, k->l, k->at, C);
  PetscCall(Norm(n, m, C, &norm));
  PetscCall(Lipschitz(k, k->w, 0, &c));
  CHECK_CLOSE(c.L_Phi.value, norm, 1e-13, "L_Phi of radius 0");
  for (PetscInt j = 0; j < m; j++) {
    PetscReal size = 0, length = 0, change = 0;
    for (PetscInt i = 0; i < n; i++) size += C[i * m + j] * C[i * m + j];
    if (size == 0) continue;
    for (PetscInt i = 0; i < n; i++) w[i] = k->at[i] + radius * C[i * m + j] / PetscSqrtReal(size);
    DenseCross(k->dense, k->l, w, moved);
    for (PetscInt i = 0; i < n; i++) {
      length += moved[i * m + j] * moved[i * m + j];
      change += PetscSqr(moved[i * m + j] - C[i * m + j]);
    }
    longest = PetscMax(longest, PetscSqrtReal(length));
    steepest = PetscMax(steepest, PetscSqrtReal(change) / radius);
  }
  PetscCall(Lipschitz(k, k->w, radius, &c));
  CHECK_CLOSE(c.L_Phi.value, longest, 1e-13, "L_Phi of a ball");
  CHECK(PetscAbsReal(c.nu2.value - steepest) <= 1e-13 * PetscMax(steepest, longest), "nu2 %g, attained %g",
        (double)c.nu2.value, (double)steepest);
  PetscCall(Lipschitz(k, k->w, (PetscReal)INFINITY, &c));
  if (k->spec.gamma > 0)
    CHECK(PetscIsInfReal(c.L_Phi.value), "L_Phi %g of an infinite ball", (double)c.L_Phi.value);
  else
    CHECK_CLOSE(c.L_Phi.value, k->spec.beta, 1e-14, "L_Phi of an infinite ball");
  PetscCall(PetscFree3(C, moved, w));
  PetscFunctionReturn(0);
}

/* Gradients of mu and L, and the diagonal of the Hessian. */
static PetscErrorCode LossConstants(Case *k)
{
  const PetscReal h = 1e-6;
  TwofoldConstant up, down;
  PetscReal slope, *H, *diagonal, difference;

  PetscFunctionBegin;
  PetscCall(TwofoldVecSetRandomNormal(k->dlambda, 5));
  for (int which = 0; which < 2; which++) {
    PetscErrorCode (*const get)(BLP, Vec, TwofoldConstant *) =
        which ? BLPGetSmoothness : BLPGetStrongConvexity;
    PetscErrorCode (*const gradient)(BLP, Vec, Vec) =
        which ? BLPGetSmoothnessGradient : BLPGetStrongConvexityGradient;
    PetscCall((*gradient)(k->blp, k->lambda, k->g2));
    PetscCall(VecDot(k->g2, k->dlambda, &slope));
    PetscCall(VecAXPY(k->lambda, h, k->dlambda));
    PetscCall((*get)(k->blp, k->lambda, &up));
    PetscCall(VecAXPY(k->lambda, -2 * h, k->dlambda));
    PetscCall((*get)(k->blp, k->lambda, &down));
    PetscCall(VecFill(k->lambda, k->l));
    CHECK(PetscAbsReal((up.value - down.value) / (2 * h) - slope) <= 1e-8,
          "slope of %s %g, by differences %g", which ? "L" : "mu", (double)slope,
          (double)((up.value - down.value) / (2 * h)));
    CHECK((k->spec.gamma > 0) == (slope != 0), "slope of %s %g", which ? "L" : "mu", (double)slope);
  }
  PetscCall(PetscMalloc2(k->n * k->n, &H, k->n, &diagonal));
  DenseHessian(k->dense, k->l, k->at, H);
  for (PetscInt i = 0; i < k->n; i++) diagonal[i] = H[i * (k->n + 1)];
  PetscCall(BLPLossLinearize(k->blp, k->lambda, k->w));
  PetscCall(BLPLossHessianDiagonal(k->blp, k->y));
  PetscCall(VecDifference(k->y, diagonal, &difference));
  CHECK(difference <= 1e-13, "diagonal of the Hessian differs by %g", (double)difference);
  PetscCall(PetscFree2(H, diagonal));
  PetscFunctionReturn(0);
}

static PetscErrorCode Constants(const QuadraticSpec *q)
{
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(q, &k));
  PetscCall(Spectrum(&k));
  PetscCall(Upper(&k));
  PetscCall(Cross(&k, 0.7));
  if (!q->map) PetscCall(LossConstants(&k));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* Where several entries of lambda make the extreme one, the gradient is that of the first of them. */
static PetscErrorCode Tie(void)
{
  const QuadraticSpec q = {.n = 9, .m = 3, .mu = 1, .L = 1, .gamma = 2};
  const PetscReal lambda[] = {0, 0.5, 0.5};
  PetscReal sum, norm;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(&q, &k));
  PetscCall(VecFill(k.lambda, lambda));
  for (int which = 0; which < 2; which++) {
    PetscCall(which ? BLPGetSmoothnessGradient(k.blp, k.lambda, k.g2)
                    : BLPGetStrongConvexityGradient(k.blp, k.lambda, k.g2));
    PetscCall(VecGather(k.g2, k.l));
    PetscCall(VecSum(k.g2, &sum));
    PetscCall(VecNorm(k.g2, NORM_2, &norm));
    CHECK_CLOSE(k.l[which], 2 * PetscExpReal(lambda[which]), 1e-14, which ? "L" : "mu");
    CHECK(sum == k.l[which] && norm == k.l[which], "others are not 0");
  }
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ the worst direction */

/* t steps of the map w - alpha r, and k of the adjoint's, both from 0. */
static PetscErrorCode Iterate(Case *k, PetscReal alpha, PetscInt t, PetscInt steps, Vec w, Vec v)
{
  PetscReal E;

  PetscFunctionBegin;
  PetscCall(VecZeroEntries(w));
  for (PetscInt i = 0; i < t; i++) {
    PetscCall(Residual(k, k->lambda, w, k->y));
    PetscCall(VecAXPY(w, -alpha, k->y));
  }
  PetscCall(BLPUpper(k->blp, k->lambda, w, &E, k->g1, k->g2));
  PetscCall(Linearize(k, k->lambda, w));
  PetscCall(VecZeroEntries(v));
  for (PetscInt i = 0; i < steps; i++) {
    PetscCall(AdjointMult(k, v, k->y));
    PetscCall(VecAXPY(k->y, -1, k->g1));
    PetscCall(VecAXPY(v, -alpha, k->y));
  }
  PetscFunctionReturn(0);
}

/* The a posteriori bound of the error of grad2 E - C^T v, with M = 1/mu or 1/(1 - q). */
static PetscErrorCode Bound(Case *k, Vec w, Vec v, PetscReal M, PetscReal *bound)
{
  BLPLipschitz c;
  PetscReal e, s, norm;

  PetscFunctionBegin;
  PetscCall(Residual(k, k->lambda, w, k->y));
  PetscCall(VecNorm(k->y, NORM_2, &e));
  e *= M;
  PetscCall(AdjointMult(k, v, k->y));
  PetscCall(VecAXPY(k->y, -1, k->g1));
  PetscCall(VecNorm(k->y, NORM_2, &s));
  PetscCall(VecNorm(v, NORM_2, &norm));
  PetscCall(Lipschitz(k, w, e, &c));
  *bound = (c.eta2.value + c.nu2.value * norm) * e +
           c.L_Phi.value * M * (s + (c.eta1.value + c.nu1.value * norm) * e);
  PetscFunctionReturn(0);
}

/* The bound of the error is the error in the worst direction, and far from it elsewhere. */
static PetscErrorCode Worst(QuadraticSpec q, PetscInt t, PetscInt steps)
{
  Case k;
  PetscReal bound = 0, error;

  PetscFunctionBegin;
  for (int worst = 1; worst >= 0; worst--) {
    q.worst = (PetscBool)worst;
    PetscCall(CaseCreate(&q, &k));
    PetscCall(VecSet(k.lambda, 0.8));
    PetscCall(Iterate(&k, 1 / q.L, t, steps, k.w, k.dw));
    PetscCall(CrossTranspose(&k, k.dw, k.dlambda));
    PetscCall(VecAXPY(k.g2, -1, k.dlambda)); /* the hypergradient */
    PetscCall(Bound(&k, k.w, k.dw, 1 / q.mu, &bound));
    PetscCall(BLPGetExact(k.blp, k.lambda, NULL, NULL, k.dlambda));
    PetscCall(VecAXPY(k.g2, -1, k.dlambda));
    PetscCall(VecNorm(k.g2, NORM_2, &error));
    if (worst)
      CHECK(error > 0 && PetscAbsReal(bound / error - 1) <= 1e-9, "t %d, k %d: bound %g, error %g", (int)t,
            (int)steps, (double)bound, (double)error);
    else
      CHECK(bound >= 1.02 * error, "t %d, k %d: bound %g of error %g without -worst", (int)t, (int)steps,
            (double)bound, (double)error);
    PetscCall(CaseDestroy(&k));
  }
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ size */

/* A million numbers: no matrix is formed. */
static PetscErrorCode Large(void)
{
  const QuadraticSpec q = {.n = 300001, .m = 70000, .mu = 1e-6, .L = 1, .beta = 1, .eta1 = 1, .eta2 = 1};
  PetscReal norm, size;
  PetscLogDouble bytes;
  PetscMPIInt ranks;
  Vec lambda, w, r;
  BLP blp;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(TEST_COMM, &ranks));
  PetscCall(QuadraticProblem(TEST_COMM, &q, "", &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, &w));
  PetscCall(VecDuplicate(w, &r));
  PetscCall(TwofoldVecSetRandomNormal(lambda, 1));
  PetscCall(BLPGetExact(blp, lambda, w, NULL, NULL));
  PetscCall(BLPLossGradient(blp, lambda, w, NULL, r));
  PetscCall(VecNorm(r, NORM_2, &norm));
  PetscCall(VecNorm(w, NORM_2, &size));
  CHECK(norm <= 1e-14 * size, "residual %g of %g", (double)norm, (double)size);
  PetscCall(BLPGetMemory(blp, &bytes));
  CHECK(bytes > 0 && bytes <= 1.1 * 200 * (300001 + 70000) / ranks, "%g bytes", bytes);
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&w));
  PetscCall(VecDestroy(&r));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const PetscInt sizes[][2] = {{1, 1}, {2, 1}, {2, 3}, {3, 2}, {9, 4}, {12, 12}, {5, 9}}; /* n, m */
  const PetscReal kappas[] = {1, 10, 1e4, 1e10};

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
    for (int kind = 0; kind < 4; kind++) { /* loss, with coupling, linear; map */
      QuadraticSpec q = {.n = sizes[i][0],
                         .m = sizes[i][1],
                         .seed = (PetscInt)i,
                         .L = 1,
                         .beta = 0.5,
                         .gamma = kind == 1 ? 0.1 : 0,
                         .eta1 = 2,
                         .eta2 = 0.3,
                         .linear = kind == 2,
                         .map = kind == 3};
      for (int k = 0; k < 4; k++) {
        q.mu = q.L / kappas[k];
        PetscCall(ClosedForm(&q));
      }
      q.mu = 0.02;
      PetscCall(Constants(&q));
    }
  }
  PetscCall(Interface());
  PetscCall(Tie());
  for (int map = 0; map < 2; map++) {
    const QuadraticSpec q = {
        .n = 13, .m = 3, .mu = 0.01, .L = 1, .beta = 2, .eta1 = 3, .eta2 = 0.7, .map = map};
    PetscCall(Worst(q, 0, 0));
    PetscCall(Worst(q, 40, 10));
    PetscCall(Worst(q, 10, 200));
  }
  PetscCall(Large());
  PetscCall(TestFinalize());
  return 0;
}
