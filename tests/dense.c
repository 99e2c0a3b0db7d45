/* Slow dense references. Sums are in long double, so that what is compared is the library's rounding. */
#include "dense.h"
#include <petscblaslapack.h>

PetscErrorCode DenseCreate(BLPType type, const Synthetic *s, Dense **dense)
{
  PetscBool softmax;
  Dense *d;

  PetscFunctionBegin;
  PetscCall(PetscStrcmp(type, BLPSOFTMAX, &softmax));
  PetscCheck(softmax, PETSC_COMM_SELF, PETSC_ERR_SUP, "problem %s has no dense reference: add it to dense.c",
             type);
  PetscCall(PetscNew(&d));
  d->p = s->p;
  d->c = s->c;
  d->rows = s->p + (s->bias ? 1 : 0);
  d->nw = d->rows * d->c;
  d->tie = s->tie;
  d->nlambda = s->tie == BLP_TIE_CLASS    ? s->c
               : s->tie == BLP_TIE_WEIGHT ? s->p * s->c
               : s->tie == BLP_TIE_SCALAR ? 1
                                          : s->p;
  for (int k = 0; k < 3; k++) {
    d->n[k] = s->n[k];
    PetscCall(PetscMalloc1(d->n[k] * d->rows, &d->X[k]));
    PetscCall(PetscMalloc1(d->n[k], &d->label[k]));
    for (PetscInt i = 0; i < d->n[k]; i++) {
      d->label[k][i] = SyntheticLabel(s, k, i);
      for (PetscInt j = 0; j < d->rows; j++)
        d->X[k][i * d->rows + j] = j < s->p ? SyntheticValue(s, k, i, j) : 1;
    }
  }
  *dense = d;
  PetscFunctionReturn(0);
}

PetscErrorCode DenseDestroy(Dense **dense)
{
  PetscFunctionBegin;
  for (int k = 0; k < 3; k++) {
    PetscCall(PetscFree((*dense)->X[k]));
    PetscCall(PetscFree((*dense)->label[k]));
  }
  PetscCall(PetscFree(*dense));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ softmax */

/* P_ik of sample i of a set; returns its cross-entropy. */
static PetscReal Row(const Dense *d, int set, PetscInt i, const PetscReal w[], long double P[])
{
  long double highest = -HUGE_VALL, sum = 0, own;

  for (PetscInt k = 0; k < d->c; k++) {
    P[k] = 0;
    for (PetscInt j = 0; j < d->rows; j++) P[k] += (long double)d->X[set][i * d->rows + j] * w[j * d->c + k];
    if (P[k] > highest) highest = P[k];
  }
  own = P[d->label[set][i]];
  for (PetscInt k = 0; k < d->c; k++) {
    P[k] = expl(P[k] - highest);
    sum += P[k];
  }
  for (PetscInt k = 0; k < d->c; k++) P[k] /= sum;
  return (PetscReal)(highest + log1pl(sum - 1) - own);
}

static PetscReal MeanLoss(const Dense *d, int set, const PetscReal w[])
{
  long double P[32], sum = 0;

  for (PetscInt i = 0; i < d->n[set]; i++) sum += Row(d, set, i, w, P);
  return (PetscReal)(sum / d->n[set]);
}

static void MeanLossGradient(const Dense *d, int set, const PetscReal w[], PetscReal g[])
{
  long double P[32];

  for (PetscInt m = 0; m < d->nw; m++) {
    const PetscInt j = m / d->c, k = m % d->c;
    long double sum = 0;
    for (PetscInt i = 0; i < d->n[set]; i++) {
      Row(d, set, i, w, P);
      sum += d->X[set][i * d->rows + j] * (P[k] - (d->label[set][i] == k ? 1 : 0));
    }
    g[m] = (PetscReal)(sum / d->n[set]);
  }
}

/* The entry of lambda that is for entry m = (j, k) of W (not of the bias). */
static PetscInt Tied(const Dense *d, PetscInt m)
{
  switch (d->tie) {
  case BLP_TIE_CLASS:
    return m % d->c;
  case BLP_TIE_WEIGHT:
    return m;
  case BLP_TIE_SCALAR:
    return 0;
  default:
    return m / d->c;
  }
}

/* exp(lambda_jk) / (c p), 0 for the bias */
static PetscReal Weight(const Dense *d, const PetscReal lambda[], PetscInt m)
{
  return m / d->c < d->p ? PetscExpReal(lambda[Tied(d, m)]) / (PetscReal)(d->c * d->p) : 0;
}

PetscReal DenseLoss(const Dense *d, const PetscReal lambda[], const PetscReal w[])
{
  long double sum = MeanLoss(d, 0, w);

  for (PetscInt m = 0; m < d->nw; m++) sum += Weight(d, lambda, m) * w[m] * w[m] / 2;
  return (PetscReal)sum;
}

void DenseGradient(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g[])
{
  MeanLossGradient(d, 0, w, g);
  for (PetscInt m = 0; m < d->nw; m++) g[m] += Weight(d, lambda, m) * w[m];
}

void DenseHessian(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal H[])
{
  long double P[32];

  memset(H, 0, sizeof(*H) * (size_t)(d->nw * d->nw));
  for (PetscInt i = 0; i < d->n[0]; i++) {
    Row(d, 0, i, w, P);
    for (PetscInt m = 0; m < d->nw; m++) {
      for (PetscInt l = 0; l < d->nw; l++) {
        const PetscInt k = m % d->c, q = l % d->c;
        const long double x = d->X[0][i * d->rows + m / d->c], y = d->X[0][i * d->rows + l / d->c];
        H[m * d->nw + l] += (PetscReal)(x * y * P[k] * ((k == q ? 1 : 0) - P[q]) / d->n[0]);
      }
    }
  }
  for (PetscInt m = 0; m < d->nw; m++) H[m * d->nw + m] += Weight(d, lambda, m);
}

void DenseCross(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal C[])
{
  memset(C, 0, sizeof(*C) * (size_t)(d->nw * d->nlambda));
  for (PetscInt m = 0; m < d->p * d->c; m++) C[m * d->nlambda + Tied(d, m)] = Weight(d, lambda, m) * w[m];
}

PetscReal DenseUpper(const Dense *d, const PetscReal w[], PetscReal g1[])
{
  if (g1) MeanLossGradient(d, 1, w, g1);
  return MeanLoss(d, 1, w);
}

void DenseEvaluate(const Dense *d, int set, const PetscReal w[], BLPMetrics *metrics)
{
  long double P[32];
  PetscInt correct = 0;

  for (PetscInt i = 0; i < d->n[set]; i++) {
    PetscInt top = 0;
    Row(d, set, i, w, P);
    for (PetscInt k = 1; k < d->c; k++)
      if (P[k] > P[top]) top = k;
    correct += top == d->label[set][i];
  }
  metrics->loss = MeanLoss(d, set, w);
  metrics->accuracy = (PetscReal)correct / (PetscReal)d->n[set];
  metrics->n = d->n[set];
}

/* ------------------------------------------------------------------ linear algebra */

static PetscErrorCode Gesv(PetscInt n, PetscReal A[], const PetscReal b[], PetscReal x[])
{
  PetscBLASInt m, one = 1, info, *pivot;

  PetscFunctionBegin;
  PetscCall(PetscBLASIntCast(n, &m));
  PetscCall(PetscMalloc1(n, &pivot));
  PetscCall(PetscArraycpy(x, b, n));
  LAPACKgesv_(&m, &one, A, &m, pivot, x, &m, &info);
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "gesv: info %d", (int)info);
  PetscCall(PetscFree(pivot));
  PetscFunctionReturn(0);
}

PetscErrorCode DenseSolveTranspose(PetscInt n, const PetscReal A[], const PetscReal b[], PetscReal x[])
{
  PetscReal *copy; /* read by columns it is the transpose */

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(n * n, &copy));
  PetscCall(PetscArraycpy(copy, A, n * n));
  PetscCall(Gesv(n, copy, b, x));
  PetscCall(PetscFree(copy));
  PetscFunctionReturn(0);
}

PetscErrorCode DenseSolve(PetscInt n, const PetscReal A[], const PetscReal b[], PetscReal x[])
{
  PetscReal *At;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(n * n, &At));
  for (PetscInt i = 0; i < n; i++)
    for (PetscInt j = 0; j < n; j++) At[j * n + i] = A[i * n + j];
  PetscCall(Gesv(n, At, b, x));
  PetscCall(PetscFree(At));
  PetscFunctionReturn(0);
}

PetscErrorCode DenseEigenvalues(PetscInt n, const PetscReal A[], PetscReal e[])
{
  PetscBLASInt m, lwork, info;
  PetscReal *copy, *work;

  PetscFunctionBegin;
  PetscCall(PetscBLASIntCast(n, &m));
  lwork = 3 * m;
  PetscCall(PetscMalloc2(n * n, &copy, lwork, &work));
  PetscCall(PetscArraycpy(copy, A, n * n));
  LAPACKsyev_("N", "U", &m, copy, &m, e, work, &lwork, &info);
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "syev: info %d", (int)info);
  PetscCall(PetscFree2(copy, work));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ maps */

static PetscErrorCode IsHeavyBall(const DenseMap *map, PetscBool *heavyball)
{
  PetscBool gd;

  PetscFunctionBegin;
  PetscCall(PetscStrcmp(map->type, FPMGD, &gd));
  PetscCall(PetscStrcmp(map->type, FPMHEAVYBALL, heavyball));
  PetscCheck(gd || *heavyball, PETSC_COMM_SELF, PETSC_ERR_SUP,
             "map %s has no dense reference: add it to dense.c", map->type);
  PetscFunctionReturn(0);
}

PetscErrorCode DenseMapGetSize(const Dense *d, const DenseMap *map, PetscInt *n)
{
  PetscBool heavyball;

  PetscFunctionBegin;
  PetscCall(IsHeavyBall(map, &heavyball));
  *n = heavyball ? 2 * d->nw : d->nw;
  PetscFunctionReturn(0);
}

PetscErrorCode DenseMapStep(const Dense *d, const DenseMap *map, const PetscReal lambda[], PetscReal x[])
{
  PetscBool heavyball;
  PetscReal *g;

  PetscFunctionBegin;
  PetscCall(IsHeavyBall(map, &heavyball));
  PetscCall(PetscMalloc1(d->nw, &g));
  DenseGradient(d, lambda, x, g);
  for (PetscInt m = 0; m < d->nw; m++) {
    const PetscReal w = x[m];
    x[m] = w - map->step * g[m] + (heavyball ? map->momentum * (w - x[d->nw + m]) : 0);
    if (heavyball) x[d->nw + m] = w;
  }
  PetscCall(PetscFree(g));
  PetscFunctionReturn(0);
}

PetscErrorCode DenseMapDerivatives(const Dense *d, const DenseMap *map, const PetscReal lambda[],
                                   const PetscReal x[], PetscReal J[], PetscReal B[])
{
  const PetscInt nw = d->nw;
  PetscReal *H, *C;
  PetscBool heavyball;
  PetscInt n = 0;

  PetscFunctionBegin;
  PetscCall(IsHeavyBall(map, &heavyball));
  PetscCall(DenseMapGetSize(d, map, &n));
  PetscCall(PetscMalloc2(nw * nw, &H, nw * d->nlambda, &C));
  DenseHessian(d, lambda, x, H);
  DenseCross(d, lambda, x, C);
  PetscCall(PetscArrayzero(J, n * n));
  PetscCall(PetscArrayzero(B, n * d->nlambda));
  for (PetscInt m = 0; m < nw; m++) {
    for (PetscInt l = 0; l < nw; l++) J[m * n + l] = -map->step * H[m * nw + l];
    for (PetscInt j = 0; j < d->nlambda; j++) B[m * d->nlambda + j] = -map->step * C[m * d->nlambda + j];
    J[m * n + m] += 1;
    if (!heavyball) continue;
    J[m * n + m] += map->momentum;
    J[m * n + nw + m] = -map->momentum;
    J[(nw + m) * n + m] = 1;
  }
  PetscCall(PetscFree2(H, C));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ hypergradients */

/* y <- M^T a for M of n rows and m columns. */
static void MultTranspose(PetscInt n, PetscInt m, const PetscReal M[], const PetscReal a[], PetscReal y[])
{
  for (PetscInt j = 0; j < m; j++) {
    long double sum = 0;
    for (PetscInt i = 0; i < n; i++) sum += (long double)M[i * m + j] * a[i];
    y[j] = (PetscReal)sum;
  }
}

PetscErrorCode DenseITD(const Dense *d, const DenseMap *map, const PetscReal lambda[], PetscInt t, PetscInt K,
                        PetscReal *f, PetscReal g[])
{
  PetscInt n = 0;
  PetscReal *x, *J, *B, *a, *next, *part;

  PetscFunctionBegin;
  PetscCall(DenseMapGetSize(d, map, &n));
  PetscCall(PetscCalloc3((t + 1) * n, &x, n, &a, n, &next));
  PetscCall(PetscMalloc3(n * n, &J, n * d->nlambda, &B, d->nlambda, &part));
  for (PetscInt i = 0; i < t; i++) {
    PetscCall(PetscArraycpy(x + (i + 1) * n, x + i * n, n));
    PetscCall(DenseMapStep(d, map, lambda, x + (i + 1) * n));
  }
  *f = DenseUpper(d, x + t * n, a);
  PetscCall(PetscArrayzero(g, d->nlambda));
  for (PetscInt i = t - 1; i >= 0 && i >= t - K; i--) {
    PetscCall(DenseMapDerivatives(d, map, lambda, x + i * n, J, B));
    MultTranspose(n, d->nlambda, B, a, part);
    for (PetscInt j = 0; j < d->nlambda; j++) g[j] += part[j];
    MultTranspose(n, n, J, a, next);
    PetscCall(PetscArraycpy(a, next, n));
  }
  PetscCall(PetscFree3(x, a, next));
  PetscCall(PetscFree3(J, B, part));
  PetscFunctionReturn(0);
}

PetscErrorCode DenseImplicit(const Dense *d, const DenseMap *map, const PetscReal lambda[],
                             const PetscReal x[], PetscReal v[], PetscReal g[])
{
  PetscInt n = 0;
  PetscReal *A, *B, *b, *solution;

  PetscFunctionBegin;
  PetscCall(DenseMapGetSize(d, map, &n));
  PetscCall(PetscMalloc2(n * n, &A, n * d->nlambda, &B));
  PetscCall(PetscCalloc2(n, &b, n, &solution));
  PetscCall(DenseMapDerivatives(d, map, lambda, x, A, B));
  for (PetscInt i = 0; i < n * n; i++) A[i] = (i % (n + 1) == 0 ? 1 : 0) - A[i];
  DenseUpper(d, x, b);
  PetscCall(DenseSolveTranspose(n, A, b, solution));
  MultTranspose(n, d->nlambda, B, solution, g);
  if (v) PetscCall(PetscArraycpy(v, solution, n));
  PetscCall(PetscFree2(A, B));
  PetscCall(PetscFree2(b, solution));
  PetscFunctionReturn(0);
}

PetscErrorCode DenseExact(const Dense *d, const PetscReal lambda[], PetscReal w[], PetscReal *f,
                          PetscReal g[])
{
  const DenseMap map = {FPMGD, 1, 0};
  PetscReal *at, *r, *step, *H;

  PetscFunctionBegin;
  PetscCall(PetscCalloc1(d->nw, &at));
  PetscCall(PetscMalloc3(d->nw, &r, d->nw, &step, d->nw * d->nw, &H));
  for (int i = 0; i < 30; i++) { /* quadratic convergence ends long before */
    DenseGradient(d, lambda, at, r);
    DenseHessian(d, lambda, at, H);
    PetscCall(DenseSolve(d->nw, H, r, step));
    for (PetscInt m = 0; m < d->nw; m++) at[m] -= step[m];
  }
  *f = DenseUpper(d, at, NULL);
  if (g) PetscCall(DenseImplicit(d, &map, lambda, at, NULL, g));
  if (w) PetscCall(PetscArraycpy(w, at, d->nw));
  PetscCall(PetscFree(at));
  PetscCall(PetscFree3(r, step, H));
  PetscFunctionReturn(0);
}
