/* Problem hyperrep: its closed form against LAPACK on dense copies, its constants against the spectra of
   dense matrices, which they attain, its starting point, and a point of linearisation that another H leaves
   alone. */
#include "dense.h"

typedef struct {
  BLP blp;
  Dense *dense;
  PetscInt d, nlambda;
  Vec H, w, U, v, g, y; /* U, g like H; v, y like w */
  PetscReal *l, *at;    /* H and w on every rank */
} Case;

static PetscErrorCode CaseCreate(const Synthetic *s, Case *k)
{
  PetscFunctionBegin;
  PetscCall(SyntheticProblem(TEST_COMM, BLPHYPERREP, s, &k->blp));
  PetscCall(DenseCreate(BLPHYPERREP, s, &k->dense));
  k->d = k->dense->nw;
  k->nlambda = k->dense->nlambda;
  PetscCall(BLPCreateVecs(k->blp, &k->H, &k->w));
  PetscCall(VecDuplicate(k->H, &k->U));
  PetscCall(VecDuplicate(k->H, &k->g));
  PetscCall(VecDuplicate(k->w, &k->v));
  PetscCall(VecDuplicate(k->w, &k->y));
  PetscCall(TwofoldVecSetRandomNormal(k->H, 1));
  PetscCall(TwofoldVecSetRandomNormal(k->w, 2));
  PetscCall(TwofoldVecSetRandomNormal(k->U, 3));
  PetscCall(TwofoldVecSetRandomNormal(k->v, 4));
  PetscCall(PetscMalloc2(k->nlambda, &k->l, k->d, &k->at));
  PetscCall(VecGather(k->H, k->l));
  PetscCall(VecGather(k->w, k->at));
  PetscFunctionReturn(0);
}

static PetscErrorCode CaseDestroy(Case *k)
{
  Vec *const vecs[] = {&k->H, &k->w, &k->U, &k->v, &k->g, &k->y};

  PetscFunctionBegin;
  for (int i = 0; i < 6; i++) PetscCall(VecDestroy(vecs[i]));
  PetscCall(PetscFree2(k->l, k->at));
  PetscCall(DenseDestroy(&k->dense));
  PetscCall(BLPDestroy(&k->blp));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ closed form, start, points */

static PetscErrorCode ClosedForm(Case *k)
{
  PetscReal *w, *g, f, expected, difference;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(k->d, &w, k->nlambda, &g));
  PetscCall(DenseExact(k->dense, k->l, w, &expected, g));
  PetscCall(VecSet(k->g, 1e10));
  PetscCall(BLPGetExact(k->blp, k->H, k->y, &f, k->g));
  CHECK_CLOSE(f, expected, 1e-12, "f");
  PetscCall(VecDifference(k->y, w, &difference));
  CHECK(difference <= 1e-12, "w(H) differs by %g", (double)difference);
  PetscCall(VecDifference(k->g, g, &difference));
  CHECK(difference <= 1e-11, "the gradient differs by %g", (double)difference);
  PetscCall(BLPGetExact(k->blp, k->H, NULL, &expected, NULL));
  CHECK(f == expected, "f alone is %.17g, not %.17g", (double)expected, (double)f);
  PetscCall(PetscFree2(w, g));
  PetscFunctionReturn(0);
}

/* Products at the point after evaluations at another H and an exact solution, all of which share Z. */
static PetscErrorCode Points(Case *k)
{
  PetscReal difference, value;
  Vec other, g, y;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(k->H, &other));
  PetscCall(VecDuplicate(k->H, &g));
  PetscCall(VecDuplicate(k->w, &y));
  PetscCall(VecWAXPY(other, 2, k->U, k->H));
  PetscCall(BLPLossLinearize(k->blp, k->H, k->w));
  for (int product = 0; product < 3; product++) {
    const Vec result = product == 2 ? g : y, first = product == 2 ? k->g : k->y;
    for (int again = 0; again < 2; again++) {
      const Vec to = again ? result : first;
      if (product == 0) PetscCall(BLPLossHessianMult(k->blp, k->v, to));
      if (product == 1) PetscCall(BLPLossCrossMult(k->blp, k->U, to));
      if (product == 2) PetscCall(BLPLossCrossMultTranspose(k->blp, k->v, to));
      PetscCall(BLPLossGradient(k->blp, other, k->v, &value, k->w));
      PetscCall(BLPUpper(k->blp, other, k->v, &value, NULL, NULL));
      PetscCall(BLPGetExact(k->blp, other, NULL, &value, other));
      PetscCall(VecWAXPY(other, 2, k->U, k->H));
    }
    PetscCall(RelativeDifference(result, first, &difference));
    CHECK(difference == 0, "product %d differs by %g after evaluations at another H", product,
          (double)difference);
  }
  PetscCall(VecFill(k->w, k->at));
  PetscCall(VecDestroy(&other));
  PetscCall(VecDestroy(&g));
  PetscCall(VecDestroy(&y));
  PetscFunctionReturn(0);
}

/* Not 0, which is stationary, and of the right size; a problem without one starts from 0. */
static PetscErrorCode Start(Case *k)
{
  const QuadraticSpec q = {.n = 4, .m = 3, .mu = 1, .L = 1};
  PetscReal norm, f;
  Vec lambda;
  BLP other;

  PetscFunctionBegin;
  PetscCall(VecZeroEntries(k->U));
  PetscCall(BLPGetExact(k->blp, k->U, NULL, &f, k->g));
  PetscCall(VecNorm(k->g, NORM_2, &norm));
  CHECK(norm == 0, "||grad f|| = %g at H = 0", (double)norm);
  PetscCall(BLPGetStart(k->blp, k->U));
  PetscCall(VecNorm(k->U, NORM_2, &norm));
  norm /= PetscSqrtReal((PetscReal)k->d);
  CHECK(norm > 0.3 && norm < 3, "the norm of a column of the start is about %g", (double)norm);
  PetscCall(BLPGetExact(k->blp, k->U, NULL, &f, k->g));
  PetscCall(VecNorm(k->g, NORM_2, &norm));
  CHECK((norm > 0) == (k->dense->X[0][0] != 0 || k->dense->X[0][1] != 0), "||grad f|| = %g at the start",
        (double)norm);
  PetscCall(QuadraticProblem(TEST_COMM, &q, "", &other));
  PetscCall(BLPCreateVecs(other, &lambda, NULL));
  PetscCall(VecSet(lambda, 7));
  PetscCall(BLPGetStart(other, lambda));
  PetscCall(VecNorm(lambda, NORM_2, &norm));
  CHECK(norm == 0, "start of norm %g", (double)norm);
  PetscCall(VecDestroy(&lambda));
  PetscCall(BLPDestroy(&other));
  PetscCall(TwofoldVecSetRandomNormal(k->U, 3));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ constants */

/* The largest singular value of A, n x m, and where u is not NULL a left singular vector of it. */
static PetscErrorCode Norm(PetscInt n, PetscInt m, const PetscReal A[], PetscReal *norm)
{
  PetscReal *square, *e;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(n * n, &square, n, &e));
  for (PetscInt i = 0; i < n; i++) {
    for (PetscInt j = 0; j < n; j++) {
      long double sum = 0;
      for (PetscInt r = 0; r < m; r++) sum += (long double)A[i * m + r] * A[j * m + r];
      square[i * n + j] = (PetscReal)sum;
    }
  }
  PetscCall(DenseEigenvalues(n, square, e));
  *norm = PetscSqrtReal(PetscMax(e[n - 1], 0));
  PetscCall(PetscFree2(square, e));
  PetscFunctionReturn(0);
}

/* mu and L are the ends of the spectrum, their gradients those of eigenvalues. */
static PetscErrorCode Spectrum(Case *k)
{
  const PetscReal h = 1e-5;
  TwofoldConstant c, up, down;
  PetscReal *H, *e, slope;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(k->d * k->d, &H, k->d, &e));
  DenseHessian(k->dense, k->l, k->at, H);
  PetscCall(DenseEigenvalues(k->d, H, e));
  for (int largest = 0; largest < 2; largest++) {
    PetscErrorCode (*const get)(BLP, Vec, TwofoldConstant *) =
        largest ? BLPGetSmoothness : BLPGetStrongConvexity;
    PetscErrorCode (*const gradient)(BLP, Vec, Vec) =
        largest ? BLPGetSmoothnessGradient : BLPGetStrongConvexityGradient;
    const PetscReal eigenvalue = e[largest ? k->d - 1 : 0];
    PetscCall((*get)(k->blp, k->H, &c));
    CHECK(c.standing == TWOFOLD_PROVED, "%s", TwofoldStandings[c.standing]);
    CHECK(PetscAbsReal(c.value - eigenvalue) <= 1e-12 * e[k->d - 1], "%s %.17g, eigenvalue %.17g",
          largest ? "L" : "mu", (double)c.value, (double)eigenvalue);
    CHECK(largest ? c.value >= eigenvalue * (1 - 1e-15) : c.value >= 0.1, "%s %.17g", largest ? "L" : "mu",
          (double)c.value);
    PetscCall((*gradient)(k->blp, k->H, k->g));
    PetscCall(VecDot(k->g, k->U, &slope));
    PetscCall(VecAXPY(k->H, h, k->U));
    PetscCall((*get)(k->blp, k->H, &up));
    PetscCall(VecAXPY(k->H, -2 * h, k->U));
    PetscCall((*get)(k->blp, k->H, &down));
    PetscCall(VecFill(k->H, k->l));
    CHECK(PetscAbsReal((up.value - down.value) / (2 * h) - slope) <= 1e-7 * e[k->d - 1],
          "slope of %s %g, by differences %g", largest ? "L" : "mu", (double)slope,
          (double)((up.value - down.value) / (2 * h)));
  }
  PetscCall(PetscFree2(H, e));
  PetscFunctionReturn(0);
}

static PetscErrorCode Lipschitz(Case *k, PetscReal radius, BLPLipschitz *c)
{
  PetscFunctionBegin;
  PetscCall(BLPGetLipschitz(k->blp, PETSC_FALSE, k->H, k->w, radius, c));
  const TwofoldConstant *const all[] = {&c->eta1, &c->eta2, &c->nu1, &c->nu2, &c->L_Phi};
  for (int i = 0; i < 5; i++)
    CHECK(all[i]->standing == TWOFOLD_PROVED && all[i]->value >= 0, "constant %d: %s, %g", i,
          TwofoldStandings[all[i]->standing], (double)all[i]->value);
  CHECK(c->nu1.value == 0, "nu1 %g", (double)c->nu1.value);
  PetscFunctionReturn(0);
}

/* Changes of the cross derivative and of the gradients of E over a short way in a direction that ends at the
   rim of the ball, divided by its length, and the norm of the former there; by dense formulas. */
static PetscErrorCode Changes(Case *k, const PetscReal direction[], PetscReal radius, PetscReal change[3],
                              PetscReal *moved)
{
  const PetscInt d = k->d, m = k->nlambda;
  const PetscReal way = 1e-3 * radius;
  PetscReal *C[2], *from, *w, *g1[2], *g2[2];

  PetscFunctionBegin;
  PetscCall(PetscMalloc4(d * m, &C[0], d * m, &C[1], d, &from, d, &w));
  PetscCall(PetscMalloc4(d, &g1[0], d, &g1[1], m, &g2[0], m, &g2[1]));
  for (PetscInt i = 0; i < d; i++) {
    from[i] = k->at[i] + (radius - way) * direction[i];
    w[i] = k->at[i] + radius * direction[i];
  }
  DenseCross(k->dense, k->l, from, C[0]);
  DenseCross(k->dense, k->l, w, C[1]);
  DenseUpperAt(k->dense, k->l, from, g1[0], g2[0]);
  DenseUpperAt(k->dense, k->l, w, g1[1], g2[1]);
  PetscCall(Norm(d, m, C[1], moved));
  for (PetscInt i = 0; i < d * m; i++) C[1][i] -= C[0][i];
  PetscCall(Norm(d, m, C[1], &change[0]));
  change[1] = change[2] = 0;
  for (PetscInt i = 0; i < d; i++) change[1] += PetscSqr(g1[1][i] - g1[0][i]);
  for (PetscInt i = 0; i < m; i++) change[2] += PetscSqr(g2[1][i] - g2[0][i]);
  change[0] /= way;
  change[1] = PetscSqrtReal(change[1]) / way;
  change[2] = PetscSqrtReal(change[2]) / way;
  PetscCall(PetscFree4(C[0], C[1], from, w));
  PetscCall(PetscFree4(g1[0], g1[1], g2[0], g2[1]));
  PetscFunctionReturn(0);
}

/* No change over the ball is larger than the constants say; nu2, eta1 and L_Phi at w are attained, nearly so
   by the best of many directions, and eta2 where all is one number. */
static PetscErrorCode Ball(Case *k, PetscReal radius)
{
  const PetscInt d = k->d;
  BLPLipschitz at, c;
  PetscReal direction[8], change[3], most[3] = {0, 0, 0}, moved, norm, *C;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(d * k->nlambda, &C));
  PetscCall(Lipschitz(k, 0, &at));
  PetscCall(Lipschitz(k, radius, &c));
  DenseCross(k->dense, k->l, k->at, C);
  PetscCall(Norm(d, k->nlambda, C, &norm));
  CHECK(PetscAbsReal(at.L_Phi.value - norm) <= 1e-10 * norm, "L_Phi %.17g at w, ||C|| %.17g",
        (double)at.L_Phi.value, (double)norm);
  for (int i = 0; i < 400; i++) {
    PetscReal size = 0;
    for (PetscInt j = 0; j < d; j++) {
      direction[j] = TwofoldRandomNormal(11, 8 * i + j);
      size += direction[j] * direction[j];
    }
    for (PetscInt j = 0; j < d; j++) direction[j] /= PetscSqrtReal(size);
    PetscCall(Changes(k, direction, radius, change, &moved));
    CHECK(moved <= (1 + 1e-12) * c.L_Phi.value, "||C|| %g, L_Phi %g", (double)moved, (double)c.L_Phi.value);
    for (int j = 0; j < 3; j++) most[j] = PetscMax(most[j], change[j]);
  }
  CHECK(most[0] <= (1 + 1e-9) * c.nu2.value && most[0] >= 0.97 * c.nu2.value, "nu2 %g, seen %g",
        (double)c.nu2.value, (double)most[0]);
  CHECK(most[1] <= (1 + 1e-9) * c.eta1.value && most[1] >= 0.97 * c.eta1.value, "eta1 %g, seen %g",
        (double)c.eta1.value, (double)most[1]);
  CHECK(most[2] <= (1 + 1e-9) * c.eta2.value && most[2] >= (radius > 1 ? 0.99 : 0.2) * c.eta2.value,
        "eta2 %g, seen %g", (double)c.eta2.value, (double)most[2]);
  PetscCall(Lipschitz(k, (PetscReal)INFINITY, &c));
  CHECK((c.nu2.value > 0) == PetscIsInfReal(c.L_Phi.value) && !PetscIsNanReal(c.eta2.value),
        "L_Phi %g, eta2 %g of an infinite ball", (double)c.L_Phi.value, (double)c.eta2.value);
  PetscCall(PetscFree(C));
  PetscFunctionReturn(0);
}

static PetscErrorCode Diagonal(Case *k)
{
  PetscReal *H, diagonal[8], difference;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(k->d * k->d, &H));
  DenseHessian(k->dense, k->l, k->at, H);
  for (PetscInt i = 0; i < k->d; i++) diagonal[i] = H[i * (k->d + 1)];
  PetscCall(BLPLossLinearize(k->blp, k->H, k->w));
  PetscCall(BLPLossHessianDiagonal(k->blp, k->y));
  PetscCall(VecDifference(k->y, diagonal, &difference));
  CHECK(difference <= 1e-13, "diagonal of the Hessian differs by %g", (double)difference);
  PetscCall(PetscFree(H));
  PetscFunctionReturn(0);
}

/* An H that is not finite: NaN or infinity in what is computed, no error and no hang. */
static PetscErrorCode NotFinite(Case *k)
{
  TwofoldConstant mu;
  PetscReal f;

  PetscFunctionBegin;
  PetscCall(VecSet(k->U, NAN));
  PetscCall(BLPGetExact(k->blp, k->U, k->y, &f, k->g));
  CHECK(PetscIsInfOrNanReal(f), "f %g of NaN", (double)f);
  PetscCall(BLPGetStrongConvexity(k->blp, k->U, &mu));
  CHECK(PetscIsInfOrNanReal(mu.value), "mu %g of NaN", (double)mu.value);
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const Synthetic cases[] = {
      {.n = {13, 11, 9}, .p = 5, .c = 3, .density = 0.7, .seed = 1},
      {.n = {4, 3, 0}, .p = 9, .c = 2, .density = 0.8, .seed = 3},
      {.n = {30, 20, 0}, .p = 1, .c = 4, .density = 1, .seed = 4}, /* Z^T Z has rank 1 */
      {.n = {2, 2, 0}, .p = 3, .c = 1, .density = 1, .seed = 5},
      {.n = {6, 5, 0}, .p = 1, .c = 1, .density = 1, .seed = 7},
      {.n = {7, 5, 3}, .p = 3, .c = 2, .density = 0, .seed = 6},
  };

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    Case k;
    PetscCall(CaseCreate(&cases[i], &k));
    PetscCall(ClosedForm(&k));
    PetscCall(Points(&k));
    PetscCall(Start(&k));
    PetscCall(Spectrum(&k));
    PetscCall(Ball(&k, 0.4));
    PetscCall(VecScale(k.w, 1e3)); /* a' is about M' w, and along it where all is one number */
    PetscCall(VecGather(k.w, k.at));
    if (k.nlambda == 1) PetscCall(Ball(&k, 400));
    PetscCall(Diagonal(&k));
    if (cases[i].density > 0) PetscCall(NotFinite(&k));
    PetscCall(CaseDestroy(&k));
  }
  PetscCall(TestFinalize());
  return 0;
}
