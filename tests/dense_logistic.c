/* Dense reference of problems/logistic.c. */
#include "denseimpl.h"

typedef struct {
  PetscBool scalar; /* one lambda for all features */
  PetscReal *y[3];  /* -1 for class 0, 1 for class 1 */
} Logistic;

/* y_i <x_i, w> of sample i of a set. */
static long double Margin(const Dense *d, int set, PetscInt i, const PetscReal w[])
{
  long double z = 0;

  for (PetscInt j = 0; j < d->p; j++) z += (long double)d->X[set][i * d->p + j] * w[j];
  return ((const Logistic *)d->data)->y[set][i] * z;
}

static long double Psi(long double t)
{
  return (t < 0 ? -t : 0) + log1pl(expl(-fabsl(t)));
}

/* 1 / (1 + exp(-t)) */
static long double Sigmoid(long double t)
{
  return t > 0 ? 1 / (1 + expl(-t)) : expl(t) / (1 + expl(t));
}

static PetscReal Sum(const Dense *d, int set, const PetscReal w[])
{
  long double sum = 0;

  for (PetscInt i = 0; i < d->n[set]; i++) sum += Psi(Margin(d, set, i, w));
  return (PetscReal)sum;
}

static void SumGradient(const Dense *d, int set, const PetscReal w[], PetscReal g[])
{
  for (PetscInt j = 0; j < d->p; j++) {
    long double sum = 0;
    for (PetscInt i = 0; i < d->n[set]; i++)
      sum -=
          ((const Logistic *)d->data)->y[set][i] * Sigmoid(-Margin(d, set, i, w)) * d->X[set][i * d->p + j];
    g[j] = (PetscReal)sum;
  }
}

static PetscInt Tied(const Dense *d, PetscInt j)
{
  return ((const Logistic *)d->data)->scalar ? 0 : j;
}

static PetscReal Loss(const Dense *d, const PetscReal lambda[], const PetscReal w[])
{
  long double sum = Sum(d, 0, w);

  for (PetscInt j = 0; j < d->p; j++) sum += (long double)lambda[Tied(d, j)] * w[j] * w[j] / 2;
  return (PetscReal)sum;
}

static void Gradient(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g[])
{
  SumGradient(d, 0, w, g);
  for (PetscInt j = 0; j < d->p; j++) g[j] += lambda[Tied(d, j)] * w[j];
}

static void Hessian(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal H[])
{
  for (PetscInt j = 0; j < d->p; j++) {
    for (PetscInt k = 0; k < d->p; k++) {
      long double sum = j == k ? lambda[Tied(d, j)] : 0;
      for (PetscInt i = 0; i < d->n[0]; i++) {
        const long double t = Margin(d, 0, i, w);
        sum += Sigmoid(t) * Sigmoid(-t) * d->X[0][i * d->p + j] * d->X[0][i * d->p + k];
      }
      H[j * d->p + k] = (PetscReal)sum;
    }
  }
}

static void Cross(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal C[])
{
  (void)lambda;
  memset(C, 0, sizeof(*C) * (size_t)(d->p * d->nlambda));
  for (PetscInt j = 0; j < d->p; j++) C[j * d->nlambda + Tied(d, j)] = w[j];
}

static PetscReal Upper(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g1[],
                       PetscReal g2[])
{
  (void)lambda;
  if (g1) SumGradient(d, 1, w, g1);
  for (PetscInt j = 0; g2 && j < d->nlambda; j++) g2[j] = 0;
  return Sum(d, 1, w);
}

static void Evaluate(const Dense *d, int set, const PetscReal lambda[], const PetscReal w[],
                     BLPMetrics *metrics)
{
  PetscInt correct = 0;

  (void)lambda;
  for (PetscInt i = 0; i < d->n[set]; i++) {
    const PetscReal y = ((const Logistic *)d->data)->y[set][i];
    correct += (y * Margin(d, set, i, w) > 0) == (y > 0);
  }
  metrics->loss = Sum(d, set, w) / (PetscReal)d->n[set];
  metrics->accuracy = (PetscReal)correct / (PetscReal)d->n[set];
  metrics->n = d->n[set];
}

/* ------------------------------------------------------------------ the object */

static PetscErrorCode Destroy(Dense *d)
{
  Logistic *lr = (Logistic *)d->data;

  PetscFunctionBegin;
  for (int k = 0; k < 3; k++) PetscCall(PetscFree(lr->y[k]));
  PetscCall(PetscFree(lr));
  PetscFunctionReturn(0);
}

static const struct DenseOps ops = {.loss = Loss,
                                    .gradient = Gradient,
                                    .hessian = Hessian,
                                    .cross = Cross,
                                    .upper = Upper,
                                    .evaluate = Evaluate,
                                    .destroy = Destroy};

PetscErrorCode DenseCreate_Logistic(const Synthetic *s, Dense *d)
{
  Logistic *lr;

  PetscFunctionBegin;
  PetscCall(PetscNew(&lr));
  d->data = lr;
  d->ops = &ops;
  d->diagonal = PETSC_TRUE;
  d->mu = d->L = TWOFOLD_PROVED;
  lr->scalar = (PetscBool)(s->tie == BLP_TIE_SCALAR);
  PetscCall(DenseSetSamples(s, d));
  for (int k = 0; k < 3; k++) {
    PetscCall(PetscMalloc1(d->n[k], &lr->y[k]));
    for (PetscInt i = 0; i < d->n[k]; i++) lr->y[k][i] = SyntheticLabel(s, k, i) ? 1 : -1;
  }
  d->nw = d->p;
  d->nlambda = lr->scalar ? 1 : d->p;
  PetscFunctionReturn(0);
}
