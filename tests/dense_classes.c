/* What the dense references have in common whose outputs are classes. */
#include "denseimpl.h"

PetscErrorCode DenseSetLabels(const Synthetic *s, const Dense *d, PetscInt *label[3])
{
  PetscFunctionBegin;
  for (int k = 0; k < 3; k++) {
    PetscCall(PetscMalloc1(d->n[k], &label[k]));
    for (PetscInt i = 0; i < d->n[k]; i++) label[k][i] = SyntheticLabel(s, k, i);
  }
  PetscFunctionReturn(0);
}

PetscReal DenseSoftmax(PetscInt n, PetscInt c, const PetscReal x[], const PetscReal w[], PetscInt own,
                       long double P[])
{
  long double highest = -HUGE_VALL, sum = 0;

  for (PetscInt k = 0; k < c; k++) {
    P[k] = 0;
    for (PetscInt j = 0; j < n; j++) P[k] += (long double)x[j] * w[j * c + k];
    if (P[k] > highest) highest = P[k];
  }
  const long double z = P[own];
  for (PetscInt k = 0; k < c; k++) {
    P[k] = expl(P[k] - highest);
    sum += P[k];
  }
  for (PetscInt k = 0; k < c; k++) P[k] /= sum;
  return (PetscReal)(highest + log1pl(sum - 1) - z);
}

PetscReal DenseCrossEntropy(const Dense *d, int set, const PetscInt label[], const PetscReal w[],
                            PetscReal g[])
{
  long double P[32], loss = 0;

  for (PetscInt i = 0; i < d->n[set]; i++)
    loss += DenseSoftmax(d->rows, d->c, d->X[set] + i * d->rows, w, label[i], P);
  for (PetscInt m = 0; g && m < d->nw; m++) {
    const PetscInt j = m / d->c, k = m % d->c;
    long double sum = 0;
    for (PetscInt i = 0; i < d->n[set]; i++) {
      DenseSoftmax(d->rows, d->c, d->X[set] + i * d->rows, w, label[i], P);
      sum += d->X[set][i * d->rows + j] * (P[k] - (label[i] == k ? 1 : 0));
    }
    g[m] = (PetscReal)(sum / d->n[set]);
  }
  return (PetscReal)(loss / d->n[set]);
}

void DenseMeasure(const Dense *d, int set, const PetscInt label[], const PetscReal w[], BLPMetrics *metrics)
{
  long double P[32];
  PetscInt right = 0;

  for (PetscInt i = 0; i < d->n[set]; i++) {
    PetscInt top = 0;
    DenseSoftmax(d->rows, d->c, d->X[set] + i * d->rows, w, label[i], P);
    for (PetscInt k = 1; k < d->c; k++)
      if (P[k] > P[top]) top = k;
    right += top == label[i];
  }
  *metrics = (BLPMetrics){.loss = DenseCrossEntropy(d, set, label, w, NULL),
                          .accuracy = (PetscReal)right / (PetscReal)d->n[set],
                          .n = d->n[set]};
}
