/* Dense reference of problems/biasedreg.c. */
#include "denseimpl.h"

typedef struct {
  PetscBool scalar; /* one lambda for all features */
  PetscReal beta;
  PetscReal *y[3];
} BiasedReg;

static PetscInt Tied(const Dense *d, PetscInt j)
{
  return ((const BiasedReg *)d->data)->scalar ? 0 : j;
}

/* <x_i, w> - y_i of sample i of a set. */
static long double Residual(const Dense *d, int set, PetscInt i, const PetscReal w[])
{
  long double z = -((const BiasedReg *)d->data)->y[set][i];

  for (PetscInt j = 0; j < d->p; j++) z += (long double)d->X[set][i * d->p + j] * w[j];
  return z;
}

static PetscReal Half(const Dense *d, int set, const PetscReal w[])
{
  long double sum = 0;

  for (PetscInt i = 0; i < d->n[set]; i++) {
    const long double r = Residual(d, set, i, w);
    sum += r * r / 2;
  }
  return (PetscReal)sum;
}

static void HalfGradient(const Dense *d, int set, const PetscReal w[], PetscReal g[])
{
  for (PetscInt j = 0; j < d->p; j++) {
    long double sum = 0;
    for (PetscInt i = 0; i < d->n[set]; i++) sum += Residual(d, set, i, w) * d->X[set][i * d->p + j];
    g[j] = (PetscReal)sum;
  }
}

static PetscReal Loss(const Dense *d, const PetscReal lambda[], const PetscReal w[])
{
  long double sum = Half(d, 0, w);

  for (PetscInt j = 0; j < d->p; j++) {
    const long double off = (long double)w[j] - lambda[Tied(d, j)];
    sum += ((const BiasedReg *)d->data)->beta * off * off / 2;
  }
  return (PetscReal)sum;
}

static void Gradient(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g[])
{
  HalfGradient(d, 0, w, g);
  for (PetscInt j = 0; j < d->p; j++)
    g[j] += ((const BiasedReg *)d->data)->beta * (w[j] - lambda[Tied(d, j)]);
}

static void Hessian(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal H[])
{
  (void)lambda, (void)w;
  for (PetscInt j = 0; j < d->p; j++) {
    for (PetscInt k = 0; k < d->p; k++) {
      long double sum = j == k ? ((const BiasedReg *)d->data)->beta : 0;
      for (PetscInt i = 0; i < d->n[0]; i++)
        sum += (long double)d->X[0][i * d->p + j] * d->X[0][i * d->p + k];
      H[j * d->p + k] = (PetscReal)sum;
    }
  }
}

static void Cross(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal C[])
{
  (void)lambda, (void)w;
  memset(C, 0, sizeof(*C) * (size_t)(d->p * d->nlambda));
  for (PetscInt j = 0; j < d->p; j++) C[j * d->nlambda + Tied(d, j)] = -((const BiasedReg *)d->data)->beta;
}

static PetscReal Upper(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g1[],
                       PetscReal g2[])
{
  (void)lambda;
  if (g1) HalfGradient(d, 1, w, g1);
  for (PetscInt j = 0; g2 && j < d->nlambda; j++) g2[j] = 0;
  return Half(d, 1, w);
}

static void Evaluate(const Dense *d, int set, const PetscReal lambda[], const PetscReal w[],
                     BLPMetrics *metrics)
{
  (void)lambda;
  metrics->loss = Half(d, set, w) / (PetscReal)d->n[set];
  metrics->accuracy = NAN;
  metrics->n = d->n[set];
}

/* ------------------------------------------------------------------ the object */

static PetscErrorCode Destroy(Dense *d)
{
  BiasedReg *br = (BiasedReg *)d->data;

  PetscFunctionBegin;
  for (int k = 0; k < 3; k++) PetscCall(PetscFree(br->y[k]));
  PetscCall(PetscFree(br));
  PetscFunctionReturn(0);
}

static const struct DenseOps ops = {.loss = Loss,
                                    .gradient = Gradient,
                                    .hessian = Hessian,
                                    .cross = Cross,
                                    .upper = Upper,
                                    .evaluate = Evaluate,
                                    .destroy = Destroy};

PetscErrorCode DenseCreate_BiasedReg(const Synthetic *s, Dense *d)
{
  BiasedReg *br;

  PetscFunctionBegin;
  PetscCall(PetscNew(&br));
  d->data = br;
  d->ops = &ops;
  d->diagonal = PETSC_TRUE;
  d->mu = d->L = TWOFOLD_PROVED;
  br->scalar = (PetscBool)(s->tie == BLP_TIE_SCALAR);
  br->beta = SyntheticBiasedRegBeta;
  PetscCall(DenseSetSamples(s, d));
  for (int k = 0; k < 3; k++) {
    PetscCall(PetscMalloc1(d->n[k], &br->y[k]));
    for (PetscInt i = 0; i < d->n[k]; i++) br->y[k][i] = SyntheticTarget(s, k, i);
  }
  d->nw = d->p;
  d->nlambda = br->scalar ? 1 : d->p;
  PetscFunctionReturn(0);
}
