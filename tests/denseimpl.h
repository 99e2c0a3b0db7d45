#ifndef TWOFOLD_TEST_DENSEIMPL_H
#define TWOFOLD_TEST_DENSEIMPL_H
/* For the writers of a dense reference: a file dense_NAME.c a problem, with a constructor that is declared
   here and stands in the table of dense.c. Sums are in long double, so that what is compared is the library's
   rounding. */
#include "dense.h"

/* Formulas of a problem, as the functions of dense.h say. A lower level is a loss, a map, or both. */
struct DenseOps {
  PetscReal (*loss)(const Dense *d, const PetscReal lambda[], const PetscReal w[]);
  void (*gradient)(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g[]);
  void (*hessian)(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal H[]);
  void (*cross)(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal C[]);
  /* g1 and g2 may be NULL */
  PetscReal (*upper)(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g1[],
                     PetscReal g2[]);
  /* NULL where BLPHasSet() says that the problem has no samples */
  void (*evaluate)(const Dense *d, int set, const PetscReal lambda[], const PetscReal w[],
                   BLPMetrics *metrics);
  /* y <- Phi(w, lambda), and its derivatives J (nw x nw) and B (nw x nlambda) */
  void (*mapstep)(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal y[]);
  void (*mapderivatives)(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal J[],
                         PetscReal B[]);
  PetscErrorCode (*destroy)(Dense *d); /* of data alone */
};

/* Sets ops, data, nw, nlambda, the sizes that the problem has, and what is to be expected of it; the rest is
   0, and type is set already. */
typedef PetscErrorCode (*DenseConstructor)(const Synthetic *s, Dense *d);

PetscErrorCode DenseCreate_Softmax(const Synthetic *s, Dense *d);
PetscErrorCode DenseCreate_BiasedReg(const Synthetic *s, Dense *d);
PetscErrorCode DenseCreate_Logistic(const Synthetic *s, Dense *d);
PetscErrorCode DenseCreate_KRR(const Synthetic *s, Dense *d);
PetscErrorCode DenseCreate_User(const Synthetic *s, Dense *d);
PetscErrorCode DenseCreate_Quadratic(const Synthetic *s, Dense *d);
PetscErrorCode DenseCreate_HyperRep(const Synthetic *s, Dense *d);
PetscErrorCode DenseCreate_Distill(const Synthetic *s, Dense *d);
PetscErrorCode DenseCreate_DataClean(const Synthetic *s, Dense *d);
PetscErrorCode DenseCreate_Equilibrium(const Synthetic *s, Dense *d);
PetscErrorCode DenseCreate_ConvEquilibrium(const Synthetic *s, Dense *d);

/* A quadratic problem of any specification. */
PetscErrorCode DenseCreateQuadratic(const QuadraticSpec *q, Dense **dense);

/* Sets p, c, rows, n and X from s: the samples of SyntheticDataSet(), with a column of ones for a bias. */
PetscErrorCode DenseSetSamples(const Synthetic *s, Dense *d);
/* New arrays of the classes of these samples. */
PetscErrorCode DenseSetLabels(const Synthetic *s, const Dense *d, PetscInt *label[3]);

/* A layer of states w of a sample x, which are the fixed point of tanh(sum). */
typedef struct {
  long double (*sum)(const Dense *d, const PetscReal lambda[], const PetscReal x[], PetscInt a,
                     const PetscReal w[]);
  PetscReal (*A)(const PetscReal lambda[], PetscInt a, PetscInt b);                 /* d sum_a / d w_b */
  PetscReal (*derivative)(const Dense *d, const PetscReal w[], const PetscReal x[], /* d sum_a / d lambda_m */
                          PetscInt a, PetscInt m);
} DenseLayer;
/* The classifier of fixed points of h numbers; theta begins at entry `first` of lambda. X is set. */
PetscErrorCode DenseCreateFixedPoints(const Synthetic *s, PetscInt h, PetscInt first, const DenseLayer *layer,
                                      Dense *d);

/* P = softmax(W^T x) of a sample of n numbers and c classes; returns its cross-entropy with class `own`. */
PetscReal DenseSoftmax(PetscInt n, PetscInt c, const PetscReal x[], const PetscReal w[], PetscInt own,
                       long double P[]);
/* The mean cross-entropy of a set and, where g is not NULL, its gradient. */
PetscReal DenseCrossEntropy(const Dense *d, int set, const PetscInt label[], const PetscReal w[],
                            PetscReal g[]);
/* The same and the accuracy. */
void DenseMeasure(const Dense *d, int set, const PetscInt label[], const PetscReal w[], BLPMetrics *metrics);

#endif
