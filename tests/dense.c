/* Slow dense references. Sums are in long double, so that what is compared is the library's rounding. */
#include "dense.h"
#include <petscblaslapack.h>

/* Matrix or vector of a problem by callbacks. */
static PetscErrorCode UserDense(PetscInt64 seed, int which, PetscInt n, PetscInt m, PetscReal **A)
{
  PetscFunctionBegin;
  PetscCall(PetscMalloc1(n * m, A));
  for (PetscInt i = 0; i < n; i++)
    for (PetscInt j = 0; j < m; j++) (*A)[i * m + j] = UserScale(which, m) * UserNumber(seed, which, i, j, m);
  PetscFunctionReturn(0);
}

static PetscErrorCode UserDenseCreate(const Synthetic *s, Dense *d)
{
  PetscFunctionBegin;
  d->user = PETSC_TRUE;
  d->map = s->map;
  d->p = d->nlambda = s->p;
  d->c = s->c;
  d->rows = d->nw = s->p + s->c;
  for (int k = 0; k < 2; k++) {
    d->n[k] = s->n[k];
    PetscCall(UserDense(s->seed, k ? USER_A1 : USER_A0, d->n[k], d->nw, &d->X[k]));
    PetscCall(UserDense(s->seed, k ? USER_b1 : USER_b0, d->n[k], 1, &d->b[k]));
  }
  PetscCall(UserDense(s->seed, USER_B, d->nw, d->p, &d->B));
  PetscCall(UserDense(s->seed, USER_M, d->nw, d->nw, &d->M));
  PetscCall(UserDense(s->seed, USER_c, d->nw, 1, &d->shift));
  PetscFunctionReturn(0);
}

PetscErrorCode DenseCreate(BLPType type, const Synthetic *s, Dense **dense)
{
  PetscBool softmax, user;
  Dense *d;

  PetscFunctionBegin;
  PetscCall(PetscStrcmp(type, BLPUSER, &user));
  if (user) {
    PetscCall(PetscNew(dense));
    PetscCall(UserDenseCreate(s, *dense));
    PetscFunctionReturn(0);
  }
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
  for (int k = 0; k < 2; k++) PetscCall(PetscFree((*dense)->b[k]));
  PetscCall(PetscFree((*dense)->B));
  PetscCall(PetscFree((*dense)->M));
  PetscCall(PetscFree((*dense)->shift));
  PetscCall(PetscFree(*dense));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ problem by callbacks */

/* (A w - b)_i of a set */
static long double UserResidual(const Dense *d, int set, PetscInt i, const PetscReal w[])
{
  long double sum = -d->b[set][i];

  for (PetscInt j = 0; j < d->nw; j++) sum += (long double)d->X[set][i * d->nw + j] * w[j];
  return sum;
}

/* (B lambda)_m */
static long double UserMix(const Dense *d, const PetscReal lambda[], PetscInt m)
{
  long double sum = 0;

  for (PetscInt j = 0; j < d->p; j++) sum += (long double)d->B[m * d->p + j] * lambda[j];
  return sum;
}

static long double UserWeight(const Dense *d, const PetscReal lambda[], PetscInt m)
{
  return expl(UserMix(d, lambda, m)) / 2;
}

static PetscReal UserLoss(const Dense *d, const PetscReal lambda[], const PetscReal w[])
{
  long double sum = 0;

  for (PetscInt i = 0; i < d->n[0]; i++) {
    const long double size = fabsl(UserResidual(d, 0, i, w));
    sum += (size + log1pl(expl(-2 * size)) - logl(2)) / d->n[0];
  }
  for (PetscInt m = 0; m < d->nw; m++) sum += UserWeight(d, lambda, m) * w[m] * w[m] / 2;
  return (PetscReal)sum;
}

static void UserLossGradient(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g[])
{
  for (PetscInt m = 0; m < d->nw; m++) {
    long double sum = UserWeight(d, lambda, m) * w[m];
    for (PetscInt i = 0; i < d->n[0]; i++)
      sum += d->X[0][i * d->nw + m] * tanhl(UserResidual(d, 0, i, w)) / d->n[0];
    g[m] = (PetscReal)sum;
  }
}

static void UserLossHessian(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal H[])
{
  for (PetscInt m = 0; m < d->nw; m++) {
    for (PetscInt l = 0; l < d->nw; l++) {
      long double sum = m == l ? UserWeight(d, lambda, m) : 0;
      for (PetscInt i = 0; i < d->n[0]; i++) {
        const long double t = tanhl(UserResidual(d, 0, i, w));
        sum += d->X[0][i * d->nw + m] * (1 - t) * (1 + t) * d->X[0][i * d->nw + l] / d->n[0];
      }
      H[m * d->nw + l] = (PetscReal)sum;
    }
  }
}

static PetscReal UserUpperAt(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g1[],
                             PetscReal g2[])
{
  long double E = 0;

  for (PetscInt i = 0; i < d->n[1]; i++) {
    const long double s = UserResidual(d, 1, i, w);
    E += s * s / (2 * d->n[1]);
  }
  for (PetscInt j = 0; j < d->p; j++) E += (long double)lambda[j] * lambda[j] / 20 + cosl(lambda[j]) / 10;
  for (PetscInt m = 0; m < d->nw; m++) E += w[m] * UserMix(d, lambda, m) / 20;
  for (PetscInt m = 0; g1 && m < d->nw; m++) {
    long double sum = UserMix(d, lambda, m) / 20;
    for (PetscInt i = 0; i < d->n[1]; i++) sum += UserResidual(d, 1, i, w) * d->X[1][i * d->nw + m] / d->n[1];
    g1[m] = (PetscReal)sum;
  }
  for (PetscInt j = 0; g2 && j < d->p; j++) {
    long double sum = (long double)lambda[j] / 10 - sinl(lambda[j]) / 10;
    for (PetscInt m = 0; m < d->nw; m++) sum += d->B[m * d->p + j] * w[m] / 20;
    g2[j] = (PetscReal)sum;
  }
  return (PetscReal)E;
}

/* (M w + B lambda + c)_m */
static long double UserMapArgument(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscInt m)
{
  long double sum = UserMix(d, lambda, m) + d->shift[m];

  for (PetscInt l = 0; l < d->nw; l++) sum += (long double)d->M[m * d->nw + l] * w[l];
  return sum;
}

static void UserMapDerivatives(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal J[],
                               PetscReal B[])
{
  for (PetscInt m = 0; m < d->nw; m++) {
    const long double t = tanhl(UserMapArgument(d, lambda, w, m)), slope = 0.4L * (1 - t) * (1 + t);
    for (PetscInt l = 0; l < d->nw; l++) J[m * d->nw + l] = (PetscReal)(slope * d->M[m * d->nw + l]);
    for (PetscInt j = 0; j < d->p; j++) B[m * d->p + j] = (PetscReal)(slope * d->B[m * d->p + j]);
  }
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
  if (d->user) return UserLoss(d, lambda, w);
  long double sum = MeanLoss(d, 0, w);

  for (PetscInt m = 0; m < d->nw; m++) sum += Weight(d, lambda, m) * w[m] * w[m] / 2;
  return (PetscReal)sum;
}

void DenseGradient(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g[])
{
  if (d->user) {
    UserLossGradient(d, lambda, w, g);
    return;
  }
  MeanLossGradient(d, 0, w, g);
  for (PetscInt m = 0; m < d->nw; m++) g[m] += Weight(d, lambda, m) * w[m];
}

void DenseHessian(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal H[])
{
  long double P[32];

  if (d->user) {
    UserLossHessian(d, lambda, w, H);
    return;
  }
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
  for (PetscInt m = 0; m < d->nw && d->user; m++)
    for (PetscInt j = 0; j < d->p; j++)
      C[m * d->p + j] = (PetscReal)(UserWeight(d, lambda, m) * w[m] * d->B[m * d->p + j]);
  if (d->user) return;
  memset(C, 0, sizeof(*C) * (size_t)(d->nw * d->nlambda));
  for (PetscInt m = 0; m < d->p * d->c; m++) C[m * d->nlambda + Tied(d, m)] = Weight(d, lambda, m) * w[m];
}

PetscReal DenseUpper(const Dense *d, const PetscReal w[], PetscReal g1[])
{
  if (g1) MeanLossGradient(d, 1, w, g1);
  return MeanLoss(d, 1, w);
}

PetscReal DenseUpperAt(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g1[],
                       PetscReal g2[])
{
  if (d->user) return UserUpperAt(d, lambda, w, g1, g2);
  for (PetscInt j = 0; g2 && j < d->nlambda; j++) g2[j] = 0;
  return DenseUpper(d, w, g1);
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

typedef enum { GD, HEAVYBALL, NESTEROV, PROBLEM } MapKind;

static PetscErrorCode GetKind(const Dense *d, const DenseMap *map, MapKind *kind)
{
  const char *const names[] = {FPMGD, FPMHEAVYBALL, FPMNESTEROV, FPMPROBLEM};
  PetscBool same = PETSC_FALSE;

  PetscFunctionBegin;
  *kind = GD;
  for (int i = 0; i < 4 && !same; i++) {
    PetscCall(PetscStrcmp(map->type, names[i], &same));
    *kind = (MapKind)i;
  }
  PetscCheck(same && (*kind == PROBLEM) == (d->map == PETSC_TRUE), PETSC_COMM_SELF, PETSC_ERR_SUP,
             "map %s has no dense reference here: add it to dense.c", map->type);
  PetscFunctionReturn(0);
}

static PetscBool HasHistory(MapKind kind)
{
  return (PetscBool)(kind == HEAVYBALL || kind == NESTEROV);
}

PetscErrorCode DenseMapGetSize(const Dense *d, const DenseMap *map, PetscInt *n)
{
  MapKind kind;

  PetscFunctionBegin;
  PetscCall(GetKind(d, map, &kind));
  *n = HasHistory(kind) ? 2 * d->nw : d->nw;
  PetscFunctionReturn(0);
}

/* Where the loss is taken: w, or Nesterov's y. */
static void LossPoint(const Dense *d, MapKind kind, PetscReal beta, const PetscReal x[], PetscReal y[])
{
  for (PetscInt m = 0; m < d->nw; m++)
    y[m] = kind == NESTEROV ? (1 + beta) * x[m] - beta * x[d->nw + m] : x[m];
}

PetscErrorCode DenseMapStep(const Dense *d, const DenseMap *map, const PetscReal lambda[], PetscReal x[])
{
  const PetscReal beta = map->momentum;
  MapKind kind;
  PetscReal *g, *y;

  PetscFunctionBegin;
  PetscCall(GetKind(d, map, &kind));
  PetscCall(PetscMalloc2(d->nw, &g, d->nw, &y));
  LossPoint(d, kind, beta, x, y);
  if (kind != PROBLEM) DenseGradient(d, lambda, y, g);
  for (PetscInt m = 0; m < d->nw; m++) {
    const PetscReal w = x[m];
    if (kind == PROBLEM)
      x[m] = (PetscReal)(0.4L * tanhl(UserMapArgument(d, lambda, y, m)));
    else
      x[m] = y[m] - map->step * g[m] + (kind == HEAVYBALL ? beta * (w - x[d->nw + m]) : 0);
    if (HasHistory(kind)) x[d->nw + m] = w;
  }
  PetscCall(PetscFree2(g, y));
  PetscFunctionReturn(0);
}

PetscErrorCode DenseMapDerivatives(const Dense *d, const DenseMap *map, const PetscReal lambda[],
                                   const PetscReal x[], PetscReal J[], PetscReal B[])
{
  const PetscInt nw = d->nw;
  const PetscReal beta = map->momentum;
  PetscReal *H, *C, *y;
  PetscInt n = 0;
  MapKind kind;

  PetscFunctionBegin;
  PetscCall(GetKind(d, map, &kind));
  if (kind == PROBLEM) {
    UserMapDerivatives(d, lambda, x, J, B);
    PetscFunctionReturn(0);
  }
  PetscCall(DenseMapGetSize(d, map, &n));
  PetscCall(PetscMalloc3(nw * nw, &H, nw * d->nlambda, &C, nw, &y));
  LossPoint(d, kind, beta, x, y);
  DenseHessian(d, lambda, y, H);
  DenseCross(d, lambda, y, C);
  PetscCall(PetscArrayzero(J, n * n));
  PetscCall(PetscArrayzero(B, n * d->nlambda));
  for (PetscInt m = 0; m < nw; m++) {
    for (PetscInt l = 0; l < nw; l++) {
      const PetscReal A = (m == l ? 1 : 0) - map->step * H[m * nw + l];
      J[m * n + l] = kind == NESTEROV ? (1 + beta) * A : A;
      if (kind == NESTEROV) J[m * n + nw + l] = -beta * A;
    }
    for (PetscInt j = 0; j < d->nlambda; j++) B[m * d->nlambda + j] = -map->step * C[m * d->nlambda + j];
    if (kind == HEAVYBALL) {
      J[m * n + m] += beta;
      J[m * n + nw + m] = -beta;
    }
    if (HasHistory(kind)) J[(nw + m) * n + m] = 1;
  }
  PetscCall(PetscFree3(H, C, y));
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
  *f = DenseUpperAt(d, lambda, x + t * n, a, g);
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
  PetscReal *A, *B, *b, *solution, *g2;

  PetscFunctionBegin;
  PetscCall(DenseMapGetSize(d, map, &n));
  PetscCall(PetscMalloc2(n * n, &A, n * d->nlambda, &B));
  PetscCall(PetscCalloc2(n, &b, n, &solution));
  PetscCall(DenseMapDerivatives(d, map, lambda, x, A, B));
  for (PetscInt i = 0; i < n * n; i++) A[i] = (i % (n + 1) == 0 ? 1 : 0) - A[i];
  PetscCall(PetscMalloc1(d->nlambda, &g2));
  DenseUpperAt(d, lambda, x, b, g2);
  PetscCall(DenseSolveTranspose(n, A, b, solution));
  MultTranspose(n, d->nlambda, B, solution, g);
  for (PetscInt j = 0; j < d->nlambda; j++) g[j] += g2[j];
  PetscCall(PetscFree(g2));
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
  *f = DenseUpperAt(d, lambda, at, NULL, NULL);
  if (g) PetscCall(DenseImplicit(d, &map, lambda, at, NULL, g));
  if (w) PetscCall(PetscArraycpy(w, at, d->nw));
  PetscCall(PetscFree(at));
  PetscCall(PetscFree3(r, step, H));
  PetscFunctionReturn(0);
}
