/* Problem distill: where its images start, its constants against the spectra of dense matrices, a point of
   linearisation that evaluations elsewhere leave alone, samples that are both training and validation. */
#include "dense.h"

typedef struct {
  BLP blp;
  Dense *dense;
  Vec lambda, w, u, v, g, y; /* u, g like lambda; v, y like w */
  PetscReal *l, *at;         /* lambda and w on every rank */
} Case;

static PetscErrorCode CaseCreate(const Synthetic *s, Case *k)
{
  PetscFunctionBegin;
  PetscCall(SyntheticProblem(TEST_COMM, BLPDISTILL, s, &k->blp));
  PetscCall(DenseCreate(BLPDISTILL, s, &k->dense));
  PetscCall(BLPCreateVecs(k->blp, &k->lambda, &k->w));
  PetscCall(VecDuplicate(k->lambda, &k->u));
  PetscCall(VecDuplicate(k->lambda, &k->g));
  PetscCall(VecDuplicate(k->w, &k->v));
  PetscCall(VecDuplicate(k->w, &k->y));
  PetscCall(TwofoldVecSetRandomNormal(k->lambda, 1));
  PetscCall(TwofoldVecSetRandomNormal(k->w, 2));
  PetscCall(TwofoldVecSetRandomNormal(k->u, 3));
  PetscCall(TwofoldVecSetRandomNormal(k->v, 4));
  PetscCall(PetscMalloc2(k->dense->nlambda, &k->l, k->dense->nw, &k->at));
  PetscCall(VecGather(k->lambda, k->l));
  PetscCall(VecGather(k->w, k->at));
  PetscFunctionReturn(0);
}

static PetscErrorCode CaseDestroy(Case *k)
{
  Vec *const vecs[] = {&k->lambda, &k->w, &k->u, &k->v, &k->g, &k->y};

  PetscFunctionBegin;
  for (int i = 0; i < 6; i++) PetscCall(VecDestroy(vecs[i]));
  PetscCall(PetscFree2(k->l, k->at));
  PetscCall(DenseDestroy(&k->dense));
  PetscCall(BLPDestroy(&k->blp));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ start */

/* x[j m + e c + k]: pixel j of image e of class k, the samples of a class dealt to its images in turn; of the
   first sample alone, or the mean. */
static PetscErrorCode Expected(const Synthetic *s, PetscInt each, PetscBool mean, PetscReal x[])
{
  const PetscInt m = each * s->c;
  PetscInt turn[8] = {0}, *count;

  PetscFunctionBegin;
  PetscCall(PetscCalloc1(m, &count));
  PetscCall(PetscArrayzero(x, m * s->p));
  for (PetscInt i = 0; i < s->n[0]; i++) {
    const PetscInt k = SyntheticLabel(s, 0, i), image = (turn[k]++ % each) * s->c + k;
    if (count[image]++ && !mean) continue;
    for (PetscInt j = 0; j < s->p; j++) x[j * m + image] += SyntheticValue(s, 0, i, j);
  }
  for (PetscInt q = 0; q < m * s->p && mean; q++) x[q] /= (PetscReal)count[q % m];
  PetscCall(PetscFree(count));
  PetscFunctionReturn(0);
}

static PetscErrorCode Start(const Synthetic *s, PetscInt each, const char start[])
{
  Synthetic with = *s;
  char options[128];
  PetscReal *x, difference;
  BLP blp;
  Vec lambda;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(options, sizeof(options),
                          "-blp_distill_images %" PetscInt_FMT " -blp_distill_start %s", each, start));
  with.options = options;
  PetscCall(SyntheticFromData(TEST_COMM, BLPDISTILL, &with, &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(PetscMalloc1(each * s->c * s->p, &x));
  PetscCall(Expected(s, each, (PetscBool)!strcmp(start, "mean"), x));
  PetscCall(VecSet(lambda, 7));
  PetscCall(BLPGetStart(blp, lambda));
  PetscCall(VecDifference(lambda, x, &difference));
  CHECK(difference <= (strcmp(start, "mean") ? 0 : 1e-14), "start %s of %d images differs by %g", start,
        (int)each, (double)difference);
  PetscCall(PetscFree(x));
  PetscCall(VecDestroy(&lambda));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* 0 where nothing is said; images of samples have no place in a tied lambda, nor more of them than samples.
 */
static PetscErrorCode OtherStarts(const Synthetic *s)
{
  Synthetic with = *s;
  PetscReal norm;
  BLP blp;
  Vec lambda;

  PetscFunctionBegin;
  PetscCall(SyntheticFromData(TEST_COMM, BLPDISTILL, &with, &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(VecSet(lambda, 7));
  PetscCall(BLPGetStart(blp, lambda));
  PetscCall(VecNorm(lambda, NORM_2, &norm));
  CHECK(norm == 0, "a start of norm %g", (double)norm);
  PetscCall(VecDestroy(&lambda));
  PetscCall(BLPDestroy(&blp));
  with.options = "-blp_distill_start mean";
  with.tie = BLP_TIE_CLASS;
  PetscCall(SyntheticFromData(TEST_COMM, BLPDISTILL, &with, &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  CHECK_RAISES(PETSC_ERR_SUP, BLPGetStart(blp, lambda));
  PetscCall(VecDestroy(&lambda));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ constants */

/* mu is attained where there are more features than images; so is L by two classes that are as likely. */
static PetscErrorCode Spectrum(Case *k)
{
  const PetscInt nw = k->dense->nw, c = k->dense->c;
  const PetscReal h = 1e-5;
  TwofoldConstant mu, L, up, down;
  PetscReal *H, *e, *zero, slope;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(nw * nw, &H, nw, &e));
  PetscCall(PetscCalloc1(nw, &zero));
  PetscCall(BLPGetStrongConvexity(k->blp, k->lambda, &mu));
  PetscCall(BLPGetSmoothness(k->blp, k->lambda, &L));
  DenseHessian(k->dense, k->l, zero, H);
  PetscCall(DenseEigenvalues(nw, H, e));
  if (k->dense->p > synthetic_images * c)
    CHECK(PetscAbsReal(mu.value - e[0]) <= 1e-14 * e[nw - 1], "mu %.17g, eigenvalue %.17g", (double)mu.value,
          (double)e[0]);
  if (c == 2)
    CHECK(PetscAbsReal(L.value - e[nw - 1]) <= 1e-12 * L.value, "L %.17g, eigenvalue %.17g", (double)L.value,
          (double)e[nw - 1]);
  PetscCall(BLPGetSmoothnessGradient(k->blp, k->lambda, k->g));
  PetscCall(VecDot(k->g, k->u, &slope));
  PetscCall(VecAXPY(k->lambda, h, k->u));
  PetscCall(BLPGetSmoothness(k->blp, k->lambda, &up));
  PetscCall(VecAXPY(k->lambda, -2 * h, k->u));
  PetscCall(BLPGetSmoothness(k->blp, k->lambda, &down));
  PetscCall(VecFill(k->lambda, k->l));
  CHECK(PetscAbsReal((up.value - down.value) / (2 * h) - slope) <= 1e-7 * L.value, "slope of L %g, not %g",
        (double)slope, (double)((up.value - down.value) / (2 * h)));
  PetscCall(BLPGetStrongConvexityGradient(k->blp, k->lambda, k->g));
  PetscCall(VecNorm(k->g, NORM_2, &slope));
  CHECK(slope == 0, "mu does not change, but its gradient is %g", (double)slope);
  PetscCall(PetscFree2(H, e));
  PetscCall(PetscFree(zero));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ points */

/* Products at the point after evaluations at another lambda and w. */
static PetscErrorCode Points(Case *k)
{
  PetscReal difference, value;
  Vec other, g, y;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(k->lambda, &other));
  PetscCall(VecDuplicate(k->lambda, &g));
  PetscCall(VecDuplicate(k->w, &y));
  PetscCall(VecWAXPY(other, 2, k->u, k->lambda));
  PetscCall(BLPLossLinearize(k->blp, k->lambda, k->w));
  for (int product = 0; product < 4; product++) {
    const Vec result = product == 2 ? g : y, first = product == 2 ? k->g : k->y;
    for (int again = 0; again < 2; again++) {
      const Vec to = again ? result : first;
      BLPLipschitz c;
      BLPMetrics metrics;
      if (product == 0) PetscCall(BLPLossHessianMult(k->blp, k->v, to));
      if (product == 1) PetscCall(BLPLossCrossMult(k->blp, k->u, to));
      if (product == 2) PetscCall(BLPLossCrossMultTranspose(k->blp, k->v, to));
      if (product == 3) PetscCall(BLPLossHessianDiagonal(k->blp, to));
      Vec gradient;
      PetscCall(VecDuplicate(k->w, &gradient));
      PetscCall(BLPLossGradient(k->blp, other, k->v, &value, gradient));
      PetscCall(BLPGetLipschitz(k->blp, PETSC_FALSE, other, k->v, 1, &c));
      PetscCall(BLPEvaluate(k->blp, BLP_TRAIN, other, k->v, &metrics));
      PetscCall(VecDestroy(&gradient));
    }
    PetscCall(RelativeDifference(result, first, &difference));
    CHECK(difference == 0, "product %d differs by %g after evaluations elsewhere", product,
          (double)difference);
  }
  PetscCall(VecDestroy(&other));
  PetscCall(VecDestroy(&g));
  PetscCall(VecDestroy(&y));
  PetscFunctionReturn(0);
}

/* The same samples twice, as one set or as two. */
static PetscErrorCode SharedSamples(const Synthetic *s)
{
  DataSet set[2];
  PetscOptions options;
  PetscReal E[2], difference;
  Vec lambda[2], w[2];
  BLP blp[2];

  PetscFunctionBegin;
  for (int k = 0; k < 2; k++) {
    for (int q = 0; q < 2; q++) PetscCall(SyntheticDataSet(TEST_COMM, s, 0, &set[q]));
    PetscCall(OptionsUse("-blp_distill_start sample -data_scale unit", &options));
    PetscCall(BLPCreate(TEST_COMM, &blp[k]));
    PetscCall(BLPSetType(blp[k], BLPDISTILL));
    PetscCall(BLPSetData(blp[k], set[0], set[k], NULL));
    PetscCall(BLPSetFromOptions(blp[k]));
    PetscCall(BLPCreateVecs(blp[k], &lambda[k], &w[k]));
    PetscCall(OptionsDrop(&options));
    PetscCall(BLPGetStart(blp[k], lambda[k]));
    PetscCall(TwofoldVecSetRandomNormal(w[k], 5));
    PetscCall(BLPUpper(blp[k], lambda[k], w[k], &E[k], NULL, NULL));
    for (int q = 0; q < 2; q++) PetscCall(DataSetDestroy(&set[q]));
  }
  CHECK(E[0] == E[1], "E %.17g of one set, %.17g of two", (double)E[0], (double)E[1]);
  PetscCall(RelativeDifference(lambda[0], lambda[1], &difference));
  CHECK(difference == 0, "the start differs by %g", (double)difference);
  for (int k = 0; k < 2; k++) {
    PetscCall(VecDestroy(&lambda[k]));
    PetscCall(VecDestroy(&w[k]));
    PetscCall(BLPDestroy(&blp[k]));
  }
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const Synthetic cases[] = {
      {.n = {17, 11, 5}, .p = 9, .c = 3, .density = 0.8, .seed = 1},
      {.n = {13, 11, 0}, .p = 4, .c = 2, .density = 0.7, .seed = 2},
      {.n = {40, 6, 0}, .p = 1, .c = 4, .density = 1, .seed = 3},
  };

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    Case k;
    PetscCall(CaseCreate(&cases[i], &k));
    PetscCall(Spectrum(&k));
    PetscCall(Points(&k));
    PetscCall(CaseDestroy(&k));
    for (PetscInt each = 1; each <= 2; each++) {
      PetscCall(Start(&cases[i], each, "mean"));
      PetscCall(Start(&cases[i], each, "sample"));
    }
    PetscCall(OtherStarts(&cases[i]));
    PetscCall(SharedSamples(&cases[i]));
  }
  PetscCall(TestFinalize());
  return 0;
}
