/* Dense reference of the quadratic problem, from the definitions at the head of problems/quadratic.c. */
#include "denseimpl.h"

enum { REFLECTOR, SOLUTION, TARGET, CENTRE, SIGN, ROTATION, SQUEEZE };

typedef struct {
  long double *Q, *J; /* n x n; J at gamma = 0 */
  PetscInt *column;   /* of the entry in a row of N, and the entry */
  long double *s, *h;
  PetscReal *D, *t, *c; /* n, n, nlambda */
  PetscReal beta, gamma, eta2;
} Quadratic;

static PetscReal Normal(PetscInt64 seed, int stream, PetscInt i)
{
  return TwofoldRandomNormal(16 * seed + stream, i);
}

/* gamma exp(lambda_j) of row i */
static long double Growth(const Quadratic *qd, const PetscReal lambda[], PetscInt i)
{
  return qd->gamma * expl(lambda[qd->column[i]]);
}

/* (Q J(lambda) Q)_ml */
static long double Core(const Dense *d, const PetscReal lambda[], PetscInt m, PetscInt l)
{
  const Quadratic *qd = (const Quadratic *)d->data;
  const PetscInt n = d->nw;
  long double sum = 0;

  for (PetscInt i = 0; i < n; i++) {
    sum += qd->Q[m * n + i] * Growth(qd, lambda, i) * qd->Q[i * n + l];
    for (PetscInt k = 0; k < n; k++) sum += qd->Q[m * n + i] * qd->J[i * n + k] * qd->Q[k * n + l];
  }
  return sum;
}

/* S_mj = (Q N)_mj */
static long double S(const Dense *d, PetscInt m, PetscInt j)
{
  const Quadratic *qd = (const Quadratic *)d->data;
  long double sum = 0;

  for (PetscInt i = 0; i < d->nw; i++)
    if (qd->column[i] == j) sum += qd->Q[m * d->nw + i] * qd->s[i];
  return sum;
}

/* (b + beta S lambda)_m */
static long double RightHandSide(const Dense *d, const PetscReal lambda[], PetscInt m)
{
  const Quadratic *qd = (const Quadratic *)d->data;
  long double sum = 0;

  for (PetscInt i = 0; i < d->nw; i++) sum += qd->Q[m * d->nw + i] * qd->h[i];
  for (PetscInt j = 0; j < d->nlambda; j++) sum += qd->beta * S(d, m, j) * lambda[j];
  return sum;
}

static PetscReal Loss(const Dense *d, const PetscReal lambda[], const PetscReal w[])
{
  long double sum = 0;

  for (PetscInt m = 0; m < d->nw; m++) {
    for (PetscInt l = 0; l < d->nw; l++) sum += w[m] * Core(d, lambda, m, l) * w[l] / 2;
    sum -= w[m] * RightHandSide(d, lambda, m);
  }
  return (PetscReal)sum;
}

static long double Residual(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscInt m)
{
  long double sum = -RightHandSide(d, lambda, m);

  for (PetscInt l = 0; l < d->nw; l++) sum += Core(d, lambda, m, l) * w[l];
  return sum;
}

static void Gradient(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g[])
{
  for (PetscInt m = 0; m < d->nw; m++) g[m] = (PetscReal)Residual(d, lambda, w, m);
}

static void Hessian(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal H[])
{
  (void)w;
  for (PetscInt m = 0; m < d->nw; m++)
    for (PetscInt l = 0; l < d->nw; l++) H[m * d->nw + l] = (PetscReal)Core(d, lambda, m, l);
}

static void Cross(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal C[])
{
  const Quadratic *qd = (const Quadratic *)d->data;
  const PetscInt n = d->nw;

  for (PetscInt m = 0; m < n; m++) {
    for (PetscInt j = 0; j < d->nlambda; j++) {
      long double sum = -qd->beta * S(d, m, j);
      for (PetscInt i = 0; i < n; i++) {
        if (qd->column[i] != j) continue;
        for (PetscInt l = 0; l < n; l++)
          sum += qd->Q[m * n + i] * Growth(qd, lambda, i) * qd->Q[i * n + l] * w[l];
      }
      C[m * d->nlambda + j] = (PetscReal)sum;
    }
  }
}

static PetscReal Upper(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g1[],
                       PetscReal g2[])
{
  const Quadratic *qd = (const Quadratic *)d->data;
  long double E = 0;

  for (PetscInt m = 0; m < d->nw; m++) {
    const long double gap = (long double)w[m] - qd->t[m];
    long double mix = 0;
    for (PetscInt j = 0; j < d->nlambda; j++) mix += qd->eta2 * S(d, m, j) * lambda[j];
    E += qd->D[m] * gap * gap / 2 + w[m] * mix;
    if (g1) g1[m] = (PetscReal)(qd->D[m] * gap + mix);
  }
  for (PetscInt j = 0; j < d->nlambda; j++) {
    const long double gap = (long double)lambda[j] - qd->c[j];
    long double sum = gap;
    E += gap * gap / 2;
    for (PetscInt m = 0; m < d->nw; m++) sum += qd->eta2 * S(d, m, j) * w[m];
    if (g2) g2[j] = (PetscReal)sum;
  }
  return (PetscReal)E;
}

static void MapStep(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal y[])
{
  for (PetscInt m = 0; m < d->nw; m++) y[m] = (PetscReal)(w[m] - Residual(d, lambda, w, m));
}

static void MapDerivatives(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal J[],
                           PetscReal B[])
{
  Hessian(d, lambda, w, J);
  for (PetscInt m = 0; m < d->nw; m++)
    for (PetscInt l = 0; l < d->nw; l++) J[m * d->nw + l] = (m == l ? 1 : 0) - J[m * d->nw + l];
  Cross(d, lambda, w, B);
  for (PetscInt k = 0; k < d->nw * d->nlambda; k++) B[k] = -B[k];
}

/* ------------------------------------------------------------------ making it */

static long double Spectrum(const QuadraticSpec *q, PetscInt i, PetscInt count)
{
  const long double t = count > 1 ? (long double)i / (count - 1) : 0;

  return q->linear ? q->mu + t * ((long double)q->L - q->mu) : q->mu * powl((long double)q->L / q->mu, t);
}

/* J = I - K of a map, a block K_k = (1 - a_k) R(theta_k) diag(1, s_k). */
static void MapCore(const QuadraticSpec *q, PetscInt n, long double J[])
{
  const PetscInt npairs = n / 2 + n % 2;

  for (PetscInt k = 0; k < npairs; k++) {
    const PetscBool plain = (PetscBool)(q->worst && k == 0);
    const PetscInt i = 2 * k;
    const long double x = plain ? 1 : Normal(q->seed, ROTATION, i);
    const long double y = plain ? 0 : Normal(q->seed, ROTATION, i + 1);
    const long double cosine = x / sqrtl(x * x + y * y), sine = y / sqrtl(x * x + y * y);
    const long double s =
        plain ? 1 : (TwofoldRandomBits(16 * q->seed + SQUEEZE, k) & 0xfffff) / (long double)0x100000;
    const long double a = Spectrum(q, k, npairs);
    if (i + 1 == n) {
      J[i * n + i] = a;
      continue;
    }
    J[i * n + i] = 1 - (1 - a) * cosine;
    J[i * n + i + 1] = (1 - a) * s * sine;
    J[(i + 1) * n + i] = -(1 - a) * sine;
    J[(i + 1) * n + i + 1] = 1 - (1 - a) * s * cosine;
  }
}

/* I - 2 u u^T / u^T u */
static void FillReflector(const QuadraticSpec *q, PetscInt n, long double Q[])
{
  long double square = 0;

  for (PetscInt i = 0; i < n; i++)
    square += (long double)Normal(q->seed, REFLECTOR, i) * Normal(q->seed, REFLECTOR, i);
  for (PetscInt i = 0; i < n; i++)
    for (PetscInt k = 0; k < n; k++)
      Q[i * n + k] = (i == k ? 1 : 0) -
                     2 * (long double)Normal(q->seed, REFLECTOR, i) * Normal(q->seed, REFLECTOR, k) / square;
}

static void FillVectors(const QuadraticSpec *q, PetscInt n, PetscInt m, Quadratic *qd)
{
  for (PetscInt i = 0; i < n; i++) {
    PetscInt rows = 0;
    qd->column[i] = i % m;
    for (PetscInt k = i % m; k < n; k += m) rows++;
    qd->s[i] = (TwofoldRandomBits(16 * q->seed + SIGN, i) & 1 ? 1 : -1) / sqrtl(rows);
    if (q->worst) qd->s[i] = i ? 0 : 1;
    qd->t[i] = q->worst ? 0 : Normal(q->seed, TARGET, i);
    qd->D[i] = q->worst ? q->eta1 : q->eta1 / (PetscReal)(1 + i % 3);
    qd->h[i] = 0;
    for (PetscInt k = 0; k < n; k++)
      qd->h[i] += qd->J[i * n + k] * (q->worst ? (k ? 0 : 1) : Normal(q->seed, SOLUTION, k));
  }
  for (PetscInt j = 0; j < m; j++) qd->c[j] = Normal(q->seed, CENTRE, j);
}

static PetscErrorCode Destroy(Dense *d)
{
  Quadratic *qd = (Quadratic *)d->data;

  PetscFunctionBegin;
  PetscCall(PetscFree2(qd->Q, qd->J));
  PetscCall(PetscFree6(qd->column, qd->s, qd->h, qd->D, qd->t, qd->c));
  PetscCall(PetscFree(d->data));
  PetscFunctionReturn(0);
}

static PetscErrorCode Create(const QuadraticSpec *q, Dense *d)
{
  static const struct DenseOps ops = {.loss = Loss,
                                      .gradient = Gradient,
                                      .hessian = Hessian,
                                      .cross = Cross,
                                      .upper = Upper,
                                      .mapstep = MapStep,
                                      .mapderivatives = MapDerivatives,
                                      .destroy = Destroy};
  const PetscInt n = q->n, m = q->m;
  Quadratic *qd;

  PetscFunctionBegin;
  PetscCall(PetscNew(&qd));
  d->ops = &ops;
  d->data = qd;
  d->nw = n;
  d->nlambda = m;
  d->direct = PETSC_TRUE;
  d->mu = d->L = TWOFOLD_PROVED;
  qd->beta = q->beta;
  qd->gamma = q->gamma;
  qd->eta2 = q->eta2;
  PetscCall(PetscCalloc2(n * n, &qd->Q, n * n, &qd->J));
  PetscCall(PetscMalloc6(n, &qd->column, n, &qd->s, n, &qd->h, n, &qd->D, n, &qd->t, m, &qd->c));
  FillReflector(q, n, qd->Q);
  for (PetscInt i = 0; i < n && !q->map; i++) qd->J[i * n + i] = Spectrum(q, i, n);
  if (q->map) MapCore(q, n, qd->J);
  FillVectors(q, n, m, qd);
  PetscFunctionReturn(0);
}

PetscErrorCode DenseCreate_Quadratic(const Synthetic *s, Dense *d)
{
  const QuadraticSpec q = QuadraticSpecOf(s);

  PetscFunctionBegin;
  PetscCall(Create(&q, d));
  PetscFunctionReturn(0);
}

PetscErrorCode DenseCreateQuadratic(const QuadraticSpec *q, Dense **dense)
{
  PetscFunctionBegin;
  PetscCall(PetscNew(dense));
  (*dense)->type = BLPQUADRATIC;
  PetscCall(Create(q, *dense));
  PetscFunctionReturn(0);
}
