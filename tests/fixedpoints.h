#ifndef TWOFOLD_TEST_FIXEDPOINTS_H
#define TWOFOLD_TEST_FIXEDPOINTS_H
/* What is tested of classifiers of fixed points beside what is tested of every problem: states of many
   samples against the formula, in place or not; products whose point stays; predictions; norms. */
#include "dense.h"

typedef struct {
  const Synthetic *s;
  BLP blp;
  Vec lambda, other, w, y;
  PetscReal *l; /* lambda on every rank */
  PetscInt h;   /* of a state */
} Case;

/* A problem of states of h numbers, with so many numbers in lambda. */
static inline PetscErrorCode CaseCreate(BLPType type, const Synthetic *s, PetscInt h, PetscInt nlambda,
                                        Case *k)
{
  PetscInt n;

  PetscFunctionBegin;
  *k = (Case){.s = s, .h = h};
  PetscCall(SyntheticFromData(TEST_COMM, type, s, &k->blp));
  PetscCall(BLPCreateVecs(k->blp, &k->lambda, &k->w));
  PetscCall(VecDuplicate(k->lambda, &k->other));
  PetscCall(VecDuplicate(k->w, &k->y));
  PetscCall(BLPGetStart(k->blp, k->lambda));
  PetscCall(VecScale(k->lambda, 5)); /* of standard deviation 0.05 */
  PetscCall(TwofoldVecSetRandomNormal(k->other, 2));
  PetscCall(VecScale(k->other, 0.05));
  PetscCall(TwofoldVecSetRandomNormal(k->w, 3));
  PetscCall(VecGetSize(k->lambda, &n));
  CHECK(n == nlambda, "%d entries in lambda, not %d", (int)n, (int)nlambda);
  PetscCall(PetscMalloc1(n, &k->l));
  PetscCall(VecGather(k->lambda, k->l));
  PetscFunctionReturn(0);
}

static inline PetscErrorCode CaseDestroy(Case *k)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(k->l));
  PetscCall(VecDestroy(&k->lambda));
  PetscCall(VecDestroy(&k->other));
  PetscCall(VecDestroy(&k->w));
  PetscCall(VecDestroy(&k->y));
  PetscCall(BLPDestroy(&k->blp));
  PetscFunctionReturn(0);
}

/* next: entry a of a training sample's next state by the formula. */
static inline PetscErrorCode States(Case *k, PetscReal (*next)(const PetscReal l[], PetscInt i, PetscInt a,
                                                               const PetscScalar w[]))
{
  const PetscInt h = k->h;
  const PetscScalar *w, *y;
  PetscReal worst = 0, difference;
  PetscInt first, n;

  PetscFunctionBegin;
  PetscCall(BLPMapApply(k->blp, k->lambda, k->w, k->y));
  PetscCall(VecGetOwnershipRange(k->w, &first, NULL));
  PetscCall(VecGetLocalSize(k->w, &n));
  PetscCall(VecGetArrayRead(k->w, &w));
  PetscCall(VecGetArrayRead(k->y, &y));
  for (PetscInt m = 0; m < n; m++) {
    const PetscReal expected = (*next)(k->l, (first + m) / h, m % h, w + m / h * h);
    worst = PetscMax(worst, PetscAbsReal(y[m] - expected));
  }
  PetscCall(VecRestoreArrayRead(k->y, &y));
  PetscCall(VecRestoreArrayRead(k->w, &w));
  CHECK(worst <= 1e-14, "states differ by %g", worst);
  PetscCall(BLPMapSteps(k->blp, k->lambda, 1, k->w));
  PetscCall(RelativeDifference(k->w, k->y, &difference));
  CHECK(difference == 0, "states in place differ by %g", difference);
  PetscFunctionReturn(0);
}

/* Several steps at once, of the map and of its adjoint, are as many one by one; bit by bit. */
static inline PetscErrorCode Steps(Case *k)
{
  PetscReal difference;
  Vec x, y, b, v;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(k->w, &x));
  PetscCall(VecDuplicate(k->w, &y));
  PetscCall(VecDuplicate(k->w, &b));
  PetscCall(VecDuplicate(k->w, &v));
  PetscCall(VecCopy(k->w, v));
  PetscCall(BLPMapSteps(k->blp, k->lambda, 3, v));
  PetscCall(BLPMapApply(k->blp, k->lambda, k->w, x));
  PetscCall(BLPMapApply(k->blp, k->lambda, x, y));
  PetscCall(BLPMapApply(k->blp, k->lambda, y, x));
  PetscCall(RelativeDifference(v, x, &difference));
  CHECK(difference == 0, "three steps at once differ by %g", difference);
  PetscCall(BLPMapSteps(k->blp, k->lambda, 0, v));
  PetscCall(RelativeDifference(v, x, &difference));
  CHECK(difference == 0, "no step moves w by %g", difference);
  PetscCall(TwofoldVecSetRandomNormal(b, 7));
  PetscCall(TwofoldVecSetRandomNormal(x, 9));
  PetscCall(BLPMapLinearize(k->blp, k->lambda, k->w));
  PetscCall(VecCopy(x, v));
  PetscCall(BLPMapAdjointSteps(k->blp, b, 3, v));
  for (int i = 0; i < 3; i++) {
    PetscCall(BLPMapVJP(k->blp, x, y));
    PetscCall(VecWAXPY(x, 1, b, y));
  }
  PetscCall(RelativeDifference(v, x, &difference));
  CHECK(difference <= 1e-14, "three adjoint steps at once differ by %g", difference);
  PetscCall(VecDestroy(&x));
  PetscCall(VecDestroy(&y));
  PetscCall(VecDestroy(&b));
  PetscCall(VecDestroy(&v));
  PetscFunctionReturn(0);
}

/* <J v, z> = <v, J^T z> and <Q u, z> = <u, Q^T z>, at a point that values at another lambda leave alone. */
static inline PetscErrorCode Products(Case *k)
{
  PetscReal left, right, E, scale[2];
  Vec v, z, u, g;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(k->w, &v));
  PetscCall(VecDuplicate(k->w, &z));
  PetscCall(VecDuplicate(k->lambda, &u));
  PetscCall(VecDuplicate(k->lambda, &g));
  PetscCall(TwofoldVecSetRandomNormal(v, 4));
  PetscCall(TwofoldVecSetRandomNormal(z, 5));
  PetscCall(TwofoldVecSetRandomNormal(u, 6));
  PetscCall(BLPMapLinearize(k->blp, k->lambda, k->w));
  PetscCall(BLPMapJVP(k->blp, v, k->y));
  PetscCall(VecDot(k->y, z, &left));
  PetscCall(VecNorm(k->y, NORM_2, &scale[0]));
  PetscCall(VecNorm(z, NORM_2, &scale[1]));
  PetscCall(BLPUpper(k->blp, k->other, v, &E, k->y, g));
  PetscCall(BLPMapApply(k->blp, k->other, v, k->y));
  PetscCall(BLPMapVJP(k->blp, z, k->y));
  PetscCall(VecDot(k->y, v, &right));
  CHECK(PetscAbsReal(left - right) <= 1e-13 * scale[0] * scale[1], "<J v, z> %.17g, <v, J^T z> %.17g", left,
        right);
  PetscCall(BLPMapParameterJVP(k->blp, u, k->y));
  PetscCall(VecDot(k->y, z, &left));
  PetscCall(VecNorm(k->y, NORM_2, &scale[0]));
  PetscCall(BLPMapApply(k->blp, k->other, v, k->y));
  PetscCall(BLPMapParameterVJP(k->blp, z, g));
  PetscCall(VecDot(g, u, &right));
  CHECK(PetscAbsReal(left - right) <= 1e-13 * scale[0] * scale[1], "<Q u, z> %.17g, <u, Q^T z> %.17g", left,
        right);
  PetscCall(VecDestroy(&v));
  PetscCall(VecDestroy(&z));
  PetscCall(VecDestroy(&u));
  PetscCall(VecDestroy(&g));
  PetscFunctionReturn(0);
}

/* New samples have what the test samples have, whatever the training samples' states are. */
static inline PetscErrorCode Predictions(Case *k)
{
  BLPMetrics test, again, m;
  DataSetMisfit misfit;
  DataSet ds;
  Vec P;

  PetscFunctionBegin;
  PetscCall(BLPEvaluate(k->blp, BLP_TEST, k->lambda, k->w, &test));
  PetscCall(BLPEvaluate(k->blp, BLP_TEST, k->other, k->w, &m));
  CHECK(m.loss != test.loss, "another lambda has the same loss");
  PetscCall(VecZeroEntries(k->y));
  PetscCall(BLPEvaluate(k->blp, BLP_TEST, k->lambda, k->y, &again));
  CHECK(again.loss == test.loss && again.accuracy == test.accuracy, "the loss moved to %.17g from %.17g",
        again.loss, test.loss);
  PetscCall(SyntheticDataSet(TEST_COMM, k->s, 2, &ds));
  PetscCall(BLPAdoptDataSet(k->blp, ds, &misfit));
  PetscCall(BLPPredict(k->blp, ds, k->lambda, k->y, &P, &m));
  CHECK_CLOSE(m.loss, test.loss, 1e-13, "loss of predictions");
  CHECK(m.accuracy == test.accuracy && m.n == test.n, "accuracy %g of %d, not %g", m.accuracy, (int)m.n,
        test.accuracy);
  PetscCall(VecDestroy(&P));
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(0);
}

/* q = ||A||, from above, by A's entries. */
static inline PetscErrorCode Contraction(Case *k,
                                         PetscReal (*entry)(const PetscReal l[], PetscInt a, PetscInt b))
{
  const PetscInt h = k->h;
  PetscReal *G, *e;
  TwofoldConstant q;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(h * h, &G, h, &e));
  for (PetscInt a = 0; a < h; a++) {
    for (PetscInt b = 0; b < h; b++) {
      long double sum = 0;
      for (PetscInt j = 0; j < h; j++) sum += (long double)(*entry)(k->l, j, a) * (*entry)(k->l, j, b);
      G[a * h + b] = (PetscReal)sum;
    }
  }
  PetscCall(DenseEigenvalues(h, G, e));
  PetscCall(BLPGetContraction(k->blp, k->lambda, &q));
  const PetscReal norm = PetscSqrtReal(e[h - 1]);
  CHECK(q.standing == TWOFOLD_PROVED && q.value >= norm * (1 - 1e-14) && q.value <= norm * (1 + 1e-12),
        "q is %.17g, and ||A|| %.17g", q.value, norm);
  PetscCall(PetscFree2(G, e));
  PetscFunctionReturn(0);
}

#endif
