/* Problem dataclean: which labels are spoilt, what the starts are, that a sample of weight 0 has no part, its
   constants, and a point of linearisation that evaluations at another lambda leave alone. */
#include "dense.h"

static PetscErrorCode Make(const Synthetic *s, const char options[], BLP *blp)
{
  Synthetic with = *s;

  PetscFunctionBegin;
  with.options = options;
  PetscCall(SyntheticFromData(TEST_COMM, BLPDATACLEAN, &with, blp));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ labels */

/* The starting weights are 1 where the label is as it was and 0 where it is not: of none, some and all. */
static PetscErrorCode Oracle(const Synthetic *s)
{
  const char *const options[] = {
      "-blp_dataclean_start oracle",
      "-blp_dataclean_start oracle -blp_dataclean_corrupt 0.4 -blp_dataclean_seed 3",
      "-blp_dataclean_start oracle -blp_dataclean_corrupt 1"};
  PetscReal *all;
  Vec lambda;
  BLP blp;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(s->n[0], &all));
  for (int k = 0; k < 3; k++) {
    PetscCall(Make(s, options[k], &blp));
    PetscCall(BLPCreateVecs(blp, &lambda, NULL));
    PetscCall(BLPGetStart(blp, lambda));
    PetscCall(VecGather(lambda, all));
    for (PetscInt i = 0; i < s->n[0]; i++) {
      const PetscInt y = SyntheticLabel(s, 0, i);
      const PetscBool right = (PetscBool)(k == 0 || (k == 1 && SyntheticSpoilt(s->c, i, y) == y));
      CHECK(all[i] == (right ? 40 : -40), "sample %d, fraction %d of 3: lambda starts at %g", (int)i, k,
            (double)all[i]);
    }
    PetscCall(VecDestroy(&lambda));
    PetscCall(BLPDestroy(&blp));
  }
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

/* The other starts; one that a tied lambda cannot have. */
static PetscErrorCode Starts(const Synthetic *s)
{
  Synthetic tied = *s;
  PetscReal least, most;
  Vec lambda;
  BLP blp;

  PetscFunctionBegin;
  for (int all = 0; all < 2; all++) {
    PetscCall(Make(s, all ? "-blp_dataclean_start all -blp_dataclean_corrupt 0.5" : "", &blp));
    PetscCall(BLPCreateVecs(blp, &lambda, NULL));
    PetscCall(VecSet(lambda, 7));
    PetscCall(BLPGetStart(blp, lambda));
    PetscCall(VecMin(lambda, NULL, &least));
    PetscCall(VecMax(lambda, NULL, &most));
    CHECK(least == (all ? 40 : 0) && most == least, "lambda starts between %g and %g", (double)least,
          (double)most);
    PetscCall(VecDestroy(&lambda));
    PetscCall(BLPDestroy(&blp));
  }
  tied.tie = BLP_TIE_SCALAR;
  PetscCall(Make(&tied, "-blp_dataclean_start oracle", &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  CHECK_RAISES(PETSC_ERR_SUP, BLPGetStart(blp, lambda));
  PetscCall(VecDestroy(&lambda));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* With the spoilt samples' weights at 0 it does not matter what their labels are. */
static PetscErrorCode Silenced(const Synthetic *s)
{
  PetscReal value[2], difference;
  Vec lambda, w, g[2], c[2];
  BLP blp[2];

  PetscFunctionBegin;
  PetscCall(Make(s, "-blp_dataclean_start oracle -blp_dataclean_corrupt 0.4", &blp[0]));
  PetscCall(Make(s, "", &blp[1]));
  PetscCall(BLPCreateVecs(blp[0], &lambda, &w));
  PetscCall(BLPGetStart(blp[0], lambda));
  PetscCall(TwofoldVecSetRandomNormal(w, 1));
  for (int k = 0; k < 2; k++) {
    PetscCall(VecDuplicate(w, &g[k]));
    PetscCall(VecDuplicate(w, &c[k]));
    PetscCall(BLPLossGradient(blp[k], lambda, w, &value[k], g[k]));
    PetscCall(BLPLossLinearize(blp[k], lambda, w));
    PetscCall(BLPLossHessianMult(blp[k], w, c[k]));
  }
  CHECK_CLOSE(value[0], value[1], 1e-14, "loss");
  PetscCall(RelativeDifference(g[0], g[1], &difference));
  CHECK(difference <= 1e-14, "the gradient differs by %g", (double)difference);
  PetscCall(RelativeDifference(c[0], c[1], &difference));
  CHECK(difference <= 1e-14, "the Hessian product differs by %g", (double)difference);
  for (int k = 0; k < 2; k++) {
    PetscCall(VecDestroy(&g[k]));
    PetscCall(VecDestroy(&c[k]));
    PetscCall(BLPDestroy(&blp[k]));
  }
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&w));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ constants */

/* L is attained by two classes that are as likely and equal weights; its gradient by differences. */
static PetscErrorCode Spectrum(const Synthetic *s)
{
  const PetscReal h = 1e-5;
  TwofoldConstant L, up, down;
  PetscReal *H, *e, *l, *zero, slope;
  Dense *dense;
  Vec lambda, u, g;
  BLP blp;

  PetscFunctionBegin;
  PetscCall(SyntheticProblem(TEST_COMM, BLPDATACLEAN, s, &blp));
  PetscCall(DenseCreate(BLPDATACLEAN, s, &dense));
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(VecDuplicate(lambda, &u));
  PetscCall(VecDuplicate(lambda, &g));
  PetscCall(VecSet(lambda, 0.3));
  PetscCall(PetscMalloc3(dense->nw * dense->nw, &H, dense->nw, &e, dense->nlambda, &l));
  PetscCall(PetscCalloc1(dense->nw, &zero));
  PetscCall(VecGather(lambda, l));
  DenseHessian(dense, l, zero, H);
  PetscCall(DenseEigenvalues(dense->nw, H, e));
  PetscCall(BLPGetSmoothness(blp, lambda, &L));
  if (s->c == 2)
    CHECK(PetscAbsReal(L.value - e[dense->nw - 1]) <= 1e-8 * L.value, "L %.17g, eigenvalue %.17g",
          (double)L.value, (double)e[dense->nw - 1]);
  PetscCall(TwofoldVecSetRandomNormal(lambda, 2));
  PetscCall(TwofoldVecSetRandomNormal(u, 3));
  PetscCall(BLPGetSmoothnessGradient(blp, lambda, g));
  PetscCall(VecDot(g, u, &slope));
  PetscCall(VecAXPY(lambda, h, u));
  PetscCall(BLPGetSmoothness(blp, lambda, &up));
  PetscCall(VecAXPY(lambda, -2 * h, u));
  PetscCall(BLPGetSmoothness(blp, lambda, &down));
  CHECK(PetscAbsReal((up.value - down.value) / (2 * h) - slope) <= 1e-7 * L.value, "slope of L %g, not %g",
        (double)slope, (double)((up.value - down.value) / (2 * h)));
  PetscCall(BLPGetStrongConvexityGradient(blp, lambda, g));
  PetscCall(VecNorm(g, NORM_2, &slope));
  CHECK(slope == 0, "mu does not change, but its gradient is %g", (double)slope);
  PetscCall(PetscFree3(H, e, l));
  PetscCall(PetscFree(zero));
  PetscCall(DenseDestroy(&dense));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&u));
  PetscCall(VecDestroy(&g));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ points */

static PetscErrorCode Points(const Synthetic *s)
{
  PetscReal difference, value;
  Vec lambda, other, w, v, gradient, y[2], g[2];
  BLP blp;

  PetscFunctionBegin;
  PetscCall(SyntheticProblem(TEST_COMM, BLPDATACLEAN, s, &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, &w));
  PetscCall(VecDuplicate(lambda, &other));
  PetscCall(VecDuplicate(w, &v));
  PetscCall(VecDuplicate(w, &gradient));
  for (int k = 0; k < 2; k++) {
    PetscCall(VecDuplicate(w, &y[k]));
    PetscCall(VecDuplicate(lambda, &g[k]));
  }
  PetscCall(TwofoldVecSetRandomNormal(lambda, 1));
  PetscCall(TwofoldVecSetRandomNormal(w, 2));
  PetscCall(TwofoldVecSetRandomNormal(v, 3));
  PetscCall(VecSet(other, -2));
  PetscCall(BLPLossLinearize(blp, lambda, w));
  for (int product = 0; product < 4; product++) {
    for (int k = 0; k < 2; k++) {
      if (product == 0) PetscCall(BLPLossHessianMult(blp, v, y[k]));
      if (product == 1) PetscCall(BLPLossCrossMult(blp, lambda, y[k]));
      if (product == 2) PetscCall(BLPLossCrossMultTranspose(blp, v, g[k]));
      if (product == 3) PetscCall(BLPLossHessianDiagonal(blp, y[k]));
      PetscCall(BLPLossGradient(blp, other, v, &value, gradient));
    }
    PetscCall(RelativeDifference(product == 2 ? g[1] : y[1], product == 2 ? g[0] : y[0], &difference));
    CHECK(difference == 0, "product %d differs by %g after an evaluation elsewhere", product,
          (double)difference);
  }
  for (int k = 0; k < 2; k++) {
    PetscCall(VecDestroy(&y[k]));
    PetscCall(VecDestroy(&g[k]));
  }
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&other));
  PetscCall(VecDestroy(&w));
  PetscCall(VecDestroy(&v));
  PetscCall(VecDestroy(&gradient));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const Synthetic cases[] = {
      {.n = {37, 11, 5}, .p = 6, .c = 3, .density = 0.8, .seed = 1},
      {.n = {13, 11, 0}, .p = 4, .c = 2, .density = 0.7, .seed = 2},
      {.n = {6, 7, 0}, .p = 1, .c = 5, .density = 1, .seed = 3},
  };

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    PetscCall(Oracle(&cases[i]));
    PetscCall(Starts(&cases[i]));
    PetscCall(Silenced(&cases[i]));
    PetscCall(Spectrum(&cases[i]));
    PetscCall(Points(&cases[i]));
  }
  PetscCall(TestFinalize());
  return 0;
}
