/* Dense reference of problems/distill.c: image i has pixel j of lambda[j m + i]. */
#include "denseimpl.h"

typedef struct {
  BLPTie tie;
  PetscInt m;
  PetscInt *label[3];
} Distill;

static const Distill *Data(const Dense *d)
{
  return (const Distill *)d->data;
}

/* The entry of lambda that is for pixel j of image i. */
static PetscInt Tied(const Dense *d, PetscInt j, PetscInt i)
{
  return Data(d)->tie == BLP_TIE_CLASS ? i : j * Data(d)->m + i;
}

static PetscReal Pixel(const Dense *d, const PetscReal lambda[], PetscInt j, PetscInt i)
{
  return lambda[Tied(d, j, i)];
}

/* P_k of image i; returns its cross-entropy. */
static PetscReal Row(const Dense *d, const PetscReal lambda[], PetscInt i, const PetscReal w[],
                     long double P[])
{
  PetscReal x[64];

  for (PetscInt j = 0; j < d->p; j++) x[j] = Pixel(d, lambda, j, i);
  return DenseSoftmax(d->p, d->c, x, w, i % d->c, P);
}

static long double Decay(const Dense *d)
{
  return (long double)synthetic_beta / (d->c * d->p);
}

static PetscReal Loss(const Dense *d, const PetscReal lambda[], const PetscReal w[])
{
  long double P[32], sum = 0, square = 0;

  for (PetscInt i = 0; i < Data(d)->m; i++) sum += Row(d, lambda, i, w, P);
  for (PetscInt l = 0; l < d->nw; l++) square += (long double)w[l] * w[l];
  return (PetscReal)(sum / Data(d)->m + Decay(d) * square / 2);
}

static void Gradient(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g[])
{
  long double P[32];

  for (PetscInt l = 0; l < d->nw; l++) {
    const PetscInt j = l / d->c, k = l % d->c;
    long double sum = 0;
    for (PetscInt i = 0; i < Data(d)->m; i++) {
      Row(d, lambda, i, w, P);
      sum += Pixel(d, lambda, j, i) * (P[k] - (i % d->c == k ? 1 : 0));
    }
    g[l] = (PetscReal)(sum / Data(d)->m + Decay(d) * w[l]);
  }
}

static void Hessian(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal H[])
{
  long double P[32];

  for (PetscInt l = 0; l < d->nw; l++) {
    for (PetscInt r = 0; r < d->nw; r++) {
      const PetscInt k = l % d->c, q = r % d->c;
      long double sum = 0;
      for (PetscInt i = 0; i < Data(d)->m; i++) {
        Row(d, lambda, i, w, P);
        sum += (long double)Pixel(d, lambda, l / d->c, i) * Pixel(d, lambda, r / d->c, i) * P[k] *
               ((k == q ? 1 : 0) - P[q]);
      }
      H[l * d->nw + r] = (PetscReal)(sum / Data(d)->m + (l == r ? Decay(d) : 0));
    }
  }
}

/* d/dlambda_ri of sum_i lambda_ji (P_ik - y_ik) / m */
static void Cross(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal C[])
{
  const PetscInt m = Data(d)->m, c = d->c;
  long double P[32];

  memset(C, 0, sizeof(*C) * (size_t)(d->nw * d->nlambda));
  for (PetscInt i = 0; i < m; i++) {
    Row(d, lambda, i, w, P);
    for (PetscInt l = 0; l < d->nw; l++) {
      const PetscInt j = l / c, k = l % c;
      for (PetscInt r = 0; r < d->p; r++) {
        long double slope = 0; /* of P_ik */
        for (PetscInt q = 0; q < c; q++) slope += P[k] * ((k == q ? 1 : 0) - P[q]) * w[r * c + q];
        C[l * d->nlambda + Tied(d, r, i)] +=
            (PetscReal)(((j == r ? P[k] - (i % c == k ? 1 : 0) : 0) + Pixel(d, lambda, j, i) * slope) / m);
      }
    }
  }
}

static PetscReal Upper(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g1[],
                       PetscReal g2[])
{
  (void)lambda;
  for (PetscInt j = 0; g2 && j < d->nlambda; j++) g2[j] = 0;
  return DenseCrossEntropy(d, 1, Data(d)->label[1], w, g1);
}

/* The training samples are the images. */
static void Evaluate(const Dense *d, int set, const PetscReal lambda[], const PetscReal w[],
                     BLPMetrics *metrics)
{
  const PetscInt m = Data(d)->m;
  long double P[32], sum = 0;
  PetscInt right = 0;

  if (set) {
    DenseMeasure(d, set, Data(d)->label[set], w, metrics);
    return;
  }
  for (PetscInt i = 0; i < m; i++) {
    PetscInt top = 0;
    sum += Row(d, lambda, i, w, P);
    for (PetscInt k = 1; k < d->c; k++)
      if (P[k] > P[top]) top = k;
    right += top == i % d->c;
  }
  *metrics = (BLPMetrics){.loss = (PetscReal)(sum / m), .accuracy = (PetscReal)right / (PetscReal)m, .n = m};
}

/* ------------------------------------------------------------------ the object */

static PetscErrorCode Destroy(Dense *d)
{
  PetscFunctionBegin;
  for (int k = 0; k < 3; k++) PetscCall(PetscFree(((Distill *)d->data)->label[k]));
  PetscCall(PetscFree(d->data));
  PetscFunctionReturn(0);
}

PetscErrorCode DenseCreate_Distill(const Synthetic *s, Dense *d)
{
  static const struct DenseOps ops = {.loss = Loss,
                                      .gradient = Gradient,
                                      .hessian = Hessian,
                                      .cross = Cross,
                                      .upper = Upper,
                                      .evaluate = Evaluate,
                                      .destroy = Destroy};
  Distill *ds;

  PetscFunctionBegin;
  PetscCall(DenseSetSamples(s, d));
  PetscCall(PetscNew(&ds));
  PetscCall(DenseSetLabels(s, d, ds->label));
  ds->tie = s->tie;
  ds->m = synthetic_images * s->c;
  d->ops = &ops;
  d->data = ds;
  d->nw = d->p * d->c;
  d->nlambda = s->tie == BLP_TIE_CLASS ? ds->m : d->p * ds->m;
  d->diagonal = PETSC_TRUE;
  d->mu = d->L = TWOFOLD_PROVED;
  PetscFunctionReturn(0);
}
