#ifndef TWOFOLD_TEST_FIXEDPOINTS_H
#define TWOFOLD_TEST_FIXEDPOINTS_H
/* What is tested of classifiers of fixed points beside what is tested of every problem: states of many
   samples against the formula, in place or not; products whose point stays; predictions; norms,
   also at a point. */
#include <string.h>
#include "dense.h"
#include "normalequations.h"

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

/* Sums of a step against the vectors that it leaves. */
static inline PetscErrorCode NormalSums(const BLPNormalStep *step, Vec r, Vec Ap, Vec z)
{
  PetscReal rr, square, rz = 0, zz = 0;

  PetscFunctionBegin;
  PetscCall(VecDot(r, r, &rr));
  PetscCall(VecDot(Ap, Ap, &square));
  if (!step->last) PetscCall(VecDot(r, z, &rz));
  if (!step->last) PetscCall(VecDot(z, z, &zz));
  CHECK_CLOSE(step->rr, rr, 1e-13, "||r||^2");
  CHECK_CLOSE(step->curvature, square, 1e-13, "||A p||^2");
  CHECK(PetscAbsReal(step->rz - rz) <= 1e-13 * PetscSqrtReal(rr * zz), "r.z is %g, not %g", step->rz, rz);
  CHECK(PetscAbsReal(step->zz - zz) <= 1e-13 * zz, "||z||^2 is %g, not %g", step->zz, zz);
  PetscFunctionReturn(0);
}

/* x against expected, of a step with these numbers. */
static inline PetscErrorCode NormalVector(const BLPNormalStep *step, Vec x, Vec expected, const char what[])
{
  PetscReal difference;

  PetscFunctionBegin;
  PetscCall(RelativeDifference(x, expected, &difference));
  CHECK(difference <= 1e-14, "alpha %g, beta %g, last %d: %s differs by %g", step->alpha, step->beta,
        step->last, what, difference);
  PetscFunctionReturn(0);
}

/* x <- x - J x, with the product at hand; y is overwritten. */
static inline PetscErrorCode Complement(BLP blp, PetscErrorCode (*product)(BLP, Vec, Vec), Vec x, Vec y)
{
  PetscFunctionBegin;
  PetscCall((*product)(blp, x, y));
  PetscCall(VecAXPY(x, -1, y));
  PetscFunctionReturn(0);
}

/* A step of the normal equations against products: first, in between, without a length, and last. */
static inline PetscErrorCode NormalStep(Case *k)
{
  const BLPNormalStep steps[] = {{.alpha = 0},
                                 {.alpha = 0.7, .beta = 0.3},
                                 {.beta = 0.4},
                                 {.alpha = 0.6, .beta = 0.2, .last = PETSC_TRUE}};
  Vec *x, *e, Ap; /* v, r, p, z; as expected */

  PetscFunctionBegin;
  PetscCall(VecDuplicateVecs(k->w, 4, &x));
  PetscCall(VecDuplicateVecs(k->w, 4, &e));
  PetscCall(VecDuplicate(k->w, &Ap));
  PetscCall(BLPMapLinearize(k->blp, k->lambda, k->w));
  for (int m = 0; m < 4; m++) PetscCall(TwofoldVecSetRandomNormal(x[m], 30 + m));
  for (int m = 0; m < 4; m++) PetscCall(VecCopy(x[m], e[m]));
  for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
    BLPNormalStep step = steps[i];
    PetscCall(VecAXPY(e[0], step.alpha, e[2]));
    PetscCall(VecAXPY(e[1], -step.alpha, e[3]));
    PetscCall(VecAYPX(e[2], step.beta, e[1]));
    PetscCall(VecCopy(e[2], Ap));
    PetscCall(Complement(k->blp, BLPMapVJP, Ap, k->y));
    PetscCall(VecCopy(Ap, e[3]));
    PetscCall(Complement(k->blp, BLPMapJVP, e[3], k->y));
    PetscCall(BLPMapNormalStep(k->blp, &step, x[0], x[1], x[2], x[3]));
    PetscCall(NormalVector(&step, x[0], e[0], "v"));
    PetscCall(NormalVector(&step, x[1], e[1], "r"));
    PetscCall(NormalVector(&step, x[2], e[2], "p"));
    if (!step.last) PetscCall(NormalVector(&step, x[3], e[3], "z"));
    PetscCall(NormalSums(&step, e[1], Ap, e[3]));
  }
  PetscCall(VecDestroyVecs(4, &x));
  PetscCall(VecDestroyVecs(4, &e));
  PetscCall(VecDestroy(&Ap));
  PetscCall(NormalEquations(k->blp, k->lambda, "-lls_max_it 4"));
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

/* The sum of d2Phi^T v at two points is that of the two; products between stay, and the next sum begins at 0.
 */
static inline PetscErrorCode Sums(Case *k)
{
  PetscReal difference, norm;
  PetscBool can;
  Vec z, g, sum;

  PetscFunctionBegin;
  PetscCall(BLPCanSumParameterVJP(k->blp, &can));
  CHECK(can, "there are no sums");
  PetscCall(VecDuplicate(k->w, &z));
  PetscCall(VecDuplicate(k->lambda, &g));
  PetscCall(VecDuplicate(k->lambda, &sum));
  PetscCall(VecZeroEntries(sum));
  PetscCall(VecCopy(k->w, k->y));
  for (int i = 0; i < 2; i++) {
    PetscCall(TwofoldVecSetRandomNormal(z, 20 + i));
    PetscCall(BLPMapLinearize(k->blp, k->lambda, k->y));
    PetscCall(BLPMapParameterVJPSum(k->blp, z));
    PetscCall(BLPMapParameterVJP(k->blp, z, g));
    PetscCall(VecAXPY(sum, 1, g));
    PetscCall(VecScale(k->y, 0.5));
  }
  PetscCall(BLPMapParameterVJPTakeSum(k->blp, g));
  PetscCall(RelativeDifference(g, sum, &difference));
  CHECK(difference <= 1e-13, "the sum differs by %g", difference);
  PetscCall(BLPMapParameterVJPTakeSum(k->blp, g));
  PetscCall(VecNorm(g, NORM_2, &norm));
  CHECK(norm == 0, "the next sum begins with %g", norm);
  PetscCall(VecDestroy(&z));
  PetscCall(VecDestroy(&g));
  PetscCall(VecDestroy(&sum));
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

/* G <- t I - A^T D^2 A of the sample whose D is given. */
static inline void Gram(PetscInt h, const PetscReal A[], const PetscReal D[], PetscReal t, PetscReal G[])
{
  PetscCallVoid(PetscArrayzero(G, h * h));
  for (PetscInt j = 0; j < h; j++)
    for (PetscInt a = 0; a < h; a++)
      for (PetscInt b = 0; b < h; b++) G[a * h + b] -= D[j] * D[j] * A[j * h + a] * A[j * h + b];
  for (PetscInt a = 0; a < h; a++) G[a * h + a] += t;
}

/* Whether G, which is overwritten, has a Cholesky factor. */
static inline PetscBool IsPositive(PetscInt h, PetscReal G[])
{
  for (PetscInt j = 0; j < h; j++) {
    for (PetscInt k = 0; k < j; k++)
      for (PetscInt a = j; a < h; a++) G[a * h + j] -= G[a * h + k] * G[j * h + k];
    if (!(G[j * h + j] > 0)) return PETSC_FALSE;
    const PetscReal root = PetscSqrtReal(G[j * h + j]);
    for (PetscInt a = j; a < h; a++) G[a * h + j] /= root;
  }
  return PETSC_TRUE;
}

/* q^2 I - A^T D_i^2 A is positive for all samples with a q a little above local_q, and for one is not with a
   q a little below; the bound has the largest entry of all D. Products stay those of the point before. */
static inline PetscErrorCode
Local(Case *k, PetscReal (*next)(const PetscReal l[], PetscInt i, PetscInt a, const PetscScalar w[]),
      PetscReal (*entry)(const PetscReal l[], PetscInt a, PetscInt b))
{
  const PetscInt h = k->h;
  const char *const *names;
  PetscReal values[3], *A, *G, *D, most = 0, difference;
  PetscInt n, nlocal, first, outside[2] = {0, 0};
  TwofoldConstant q;
  const PetscScalar *w;
  Vec before;

  PetscFunctionBegin;
  PetscCall(BLPGetDiagnostics(k->blp, &n, &names));
  CHECK(n == 3 && !strcmp(names[0], "local_q") && !strcmp(names[1], "local_q_bound") &&
            !strcmp(names[2], "norm_A"),
        "%d names", (int)n);
  PetscCall(VecDuplicate(k->w, &before));
  PetscCall(BLPMapLinearize(k->blp, k->other, k->w));
  PetscCall(BLPMapVJP(k->blp, k->w, before));
  PetscCall(VecScale(k->w, 3)); /* not all slopes near 1 */
  PetscCall(BLPDiagnose(k->blp, k->lambda, k->w, values));
  PetscCall(PetscMalloc3(h * h, &A, h * h, &G, h, &D));
  for (PetscInt m = 0; m < h * h; m++) A[m] = (*entry)(k->l, m / h, m % h);
  PetscCall(VecGetOwnershipRange(k->w, &first, NULL));
  PetscCall(VecGetLocalSize(k->w, &nlocal));
  PetscCall(VecGetArrayRead(k->w, &w));
  for (PetscInt i = 0; i < nlocal / h; i++) {
    for (PetscInt a = 0; a < h; a++) {
      const PetscReal y = (*next)(k->l, first / h + i, a, w + i * h);
      D[a] = 1 - y * y;
      most = PetscMax(most, D[a]);
    }
    for (int side = 0; side < 2; side++) {
      const PetscReal t = values[0] * (side ? 1 - 1e-6 : 1 + 1e-6);
      Gram(h, A, D, t * t, G);
      outside[side] += !IsPositive(h, G);
    }
  }
  PetscCall(VecRestoreArrayRead(k->w, &w));
  PetscCall(PetscFree3(A, G, D));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, outside, 2, MPIU_INT, MPI_SUM, TEST_COMM));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, &most, 1, MPIU_REAL, MPIU_MAX, TEST_COMM));
  CHECK(outside[0] == 0 && outside[1] > 0, "local q %.17g: %d samples have more, %d at least a little less",
        values[0], (int)outside[0], (int)outside[1]);
  PetscCall(BLPGetContraction(k->blp, k->lambda, &q));
  CHECK(values[2] == q.value, "||A|| is %.17g, not %.17g", values[2], q.value);
  CHECK_CLOSE(values[1], most * q.value, 1e-13, "the bound");
  CHECK(values[0] < values[1] && values[0] > 0, "local q %g, its bound %g", values[0], values[1]);
  PetscCall(VecScale(k->w, 1. / 3));
  PetscCall(BLPMapVJP(k->blp, k->w, k->y));
  PetscCall(RelativeDifference(k->y, before, &difference));
  CHECK(difference <= 1e-14, "the point of linearisation moved: %g", difference);
  PetscCall(VecDestroy(&before));
  PetscFunctionReturn(0);
}

#endif
