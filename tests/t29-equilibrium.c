/* equilibrium beside what is tested of every problem: states of many samples against the formula, in place or
   not; products whose point stays; predictions; norms. */
#include "dense.h"

/* More states than fit into one piece of the cache. */
static const Synthetic large = {.n = {400, 0, 37},
                                .p = 6,
                                .c = 3,
                                .density = 0.7,
                                .seed = 8,
                                .options = "-blp_equilibrium_h 96 -blp_equilibrium_it 4"};
enum { h = 96 };

typedef struct {
  BLP blp;
  Vec lambda, other, w, y;
  PetscReal *l; /* lambda on every rank */
} Case;

static PetscErrorCode CaseCreate(Case *k)
{
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(SyntheticFromData(TEST_COMM, BLPEQUILIBRIUM, &large, &k->blp));
  PetscCall(BLPCreateVecs(k->blp, &k->lambda, &k->w));
  PetscCall(VecDuplicate(k->lambda, &k->other));
  PetscCall(VecDuplicate(k->w, &k->y));
  PetscCall(BLPGetStart(k->blp, k->lambda));
  PetscCall(VecScale(k->lambda, 5)); /* of standard deviation 0.05 */
  PetscCall(TwofoldVecSetRandomNormal(k->other, 2));
  PetscCall(VecScale(k->other, 0.05));
  PetscCall(TwofoldVecSetRandomNormal(k->w, 3));
  PetscCall(VecGetSize(k->lambda, &n));
  CHECK(n == h * (h + large.p + 1 + large.c), "%d entries in lambda", (int)n);
  PetscCall(PetscMalloc1(n, &k->l));
  PetscCall(VecGather(k->lambda, k->l));
  PetscFunctionReturn(0);
}

static PetscErrorCode CaseDestroy(Case *k)
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

/* tanh(A w_i + B x_i + c)_a of a training sample */
static PetscReal Next(const PetscReal l[], PetscInt i, PetscInt a, const PetscScalar w[])
{
  long double sum = l[h * h + h * large.p + a];

  for (PetscInt b = 0; b < h; b++) sum += (long double)l[a * h + b] * w[b];
  for (PetscInt j = 0; j < large.p; j++)
    sum += (long double)l[h * h + a * large.p + j] * SyntheticValue(&large, 0, i, j);
  return (PetscReal)tanhl(sum);
}

static PetscErrorCode States(Case *k)
{
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
    const PetscReal expected = Next(k->l, (first + m) / h, m % h, w + m / h * h);
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
static PetscErrorCode Steps(Case *k)
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
static PetscErrorCode Products(Case *k)
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
static PetscErrorCode Predictions(Case *k)
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
  PetscCall(SyntheticDataSet(TEST_COMM, &large, 2, &ds));
  PetscCall(BLPAdoptDataSet(k->blp, ds, &misfit));
  PetscCall(BLPPredict(k->blp, ds, k->lambda, k->y, &P, &m));
  CHECK_CLOSE(m.loss, test.loss, 1e-13, "loss of predictions");
  CHECK(m.accuracy == test.accuracy && m.n == test.n, "accuracy %g of %d, not %g", m.accuracy, (int)m.n,
        test.accuracy);
  PetscCall(VecDestroy(&P));
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(0);
}

/* q = ||A||, from above. */
static PetscErrorCode Contraction(Case *k)
{
  PetscReal *G, *e;
  TwofoldConstant q;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(h * h, &G, h, &e));
  for (PetscInt a = 0; a < h; a++) {
    for (PetscInt b = 0; b < h; b++) {
      long double sum = 0;
      for (PetscInt j = 0; j < h; j++) sum += (long double)k->l[j * h + a] * k->l[j * h + b];
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

int main(int argc, char **argv)
{
  Case k;

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(CaseCreate(&k));
  PetscCall(States(&k));
  PetscCall(Steps(&k));
  PetscCall(Products(&k));
  PetscCall(Predictions(&k));
  PetscCall(Contraction(&k));
  PetscCall(CaseDestroy(&k));
  PetscCall(TestFinalize());
  return 0;
}
