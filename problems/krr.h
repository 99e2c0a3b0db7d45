#ifndef TWOFOLD_KRR_H
#define TWOFOLD_KRR_H
/*
  Matrices of the Gaussian kernel k(x, z) = exp(-sum_k gamma_k (x_k - z_k)^2) between the samples of a set
  (rows) and the training samples (columns), and what is made of their derivatives

    dK_k = d/dgamma_k K = -K * D_k,   (D_k)_ij = (x_ik - z_jk)^2                        (*: by entries)

  which are never formed. Rows are dealt to the ranks as the set's samples are. Features of the columns'
  samples are never all on one rank: the ranks pass theirs round, a block at a time, where all are needed.

  The ones on the diagonal of the training samples' own kernel do not depend on gamma. Its matrix is kept
  without them, as K - I: in K itself what they add to a derivative would cancel in rounding alone.
*/
#include <twofold/impl/blpimpl.h>

/* Dense samples of a set, on the ranks as the set's. */
typedef struct {
  PetscLayout layout;
  PetscMPIInt *count, *first; /* samples of each rank, and those before them */
  PetscInt p;
  PetscReal *x; /* p x n of this rank, one feature after the other */
  PetscReal *y; /* targets */
} KRRSamples;

typedef struct {
  const KRRSamples *row, *column;
  PetscBool square;  /* the rows are the columns: the diagonal is left out */
  PetscReal *gamma;  /* p, on every rank; borrowed */
  PetscScalar *K;    /* of this rank's rows, row by row; NULL until it is computed */
  PetscInt computed; /* when it was, by the caller's count */
} KRRKernel;

PetscErrorCode KRRSamplesCreate_Private(DataSet ds, KRRSamples *s);
PetscErrorCode KRRSamplesDestroy_Private(KRRSamples *s);
/* Room for n samples, nlocal of them here: all 0. Collective. */
PetscErrorCode KRRSamplesLayOut_Private(MPI_Comm comm, PetscInt nlocal, PetscInt n, PetscInt p,
                                        KRRSamples *s);
/* The means of the p features, on every rank. Collective. */
PetscErrorCode KRRSamplesMean_Private(const KRRSamples *s, PetscReal mean[]);
/* x <- x - mean */
void KRRSamplesShift_Private(const PetscReal mean[], KRRSamples *s);
/* All of what is laid out as the samples, on every rank. Collective. */
PetscErrorCode KRRSamplesGather_Private(const KRRSamples *s, const PetscScalar v[], PetscScalar all[]);

/* All but the first three are for a computed kernel, and collective. K is the matrix without the diagonal
   where it is square; w and what is laid out as the columns is whole on every rank where the name ends in
   `all`. */
PetscErrorCode KRRKernelCompute_Private(KRRKernel *k); /* collective */
PetscErrorCode KRRKernelReset_Private(KRRKernel *k);
PetscErrorCode KRRKernelGetMemory_Private(const KRRKernel *k, PetscLogDouble *bytes);
/* y = K w */
PetscErrorCode KRRKernelMult_Private(const KRRKernel *k, const PetscScalar all[], PetscScalar y[]);
/* y = K^T v */
PetscErrorCode KRRKernelMultTranspose_Private(const KRRKernel *k, const PetscScalar v[], PetscScalar y[]);
/* G = K (w * z_.k) for all k: rows x p */
PetscErrorCode KRRKernelMultFeatures_Private(const KRRKernel *k, const PetscScalar all[], PetscScalar G[]);
/* y = sum_k u_k dK_k w from K w and G. */
PetscErrorCode KRRKernelMultDirection_Private(const KRRKernel *k, const PetscReal u[], const PetscScalar w[],
                                              const PetscScalar Kw[], const PetscScalar G[], PetscScalar y[]);
/* g_k = v^T dK_k w from K w, G and K^T v. */
PetscErrorCode KRRKernelGradient_Private(const KRRKernel *k, const PetscScalar v[], const PetscScalar w[],
                                         const PetscScalar Kw[], const PetscScalar G[],
                                         const PetscScalar Ktv[], PetscReal g[]);

/* Calls visit() for each row of this rank and each piece of the columns: `n` of them from global number
   `first` on, with feature f of column j of the piece at z[f stride + j]. Collective. */
enum { KRR_PIECE = 256 };
typedef struct {
  const PetscReal *z;
  PetscInt stride, first, n;
} KRRPiece;
typedef void (*KRRVisitor)(const KRRKernel *k, PetscInt i, const KRRPiece *piece, void *ctx);
PetscErrorCode KRRKernelVisit_Private(const KRRKernel *k, KRRVisitor visit, void *ctx);

/* ------------------------------------------------------------------ the problem */

typedef enum { KRR_RAW, KRR_EXP } KRRParameters;

typedef struct {
  KRRParameters parameters;
  KRRSamples set[3]; /* train, val, test; features less the training samples' means */
  KRRKernel kernel[3];
  PetscInt p;      /* features */
  PetscReal *mean; /* of the training samples' features, on every rank */
  PetscBool two;   /* the training targets have two values, and a threshold between them: */
  PetscReal threshold;
  PetscReal *at, *s; /* (beta, gamma) at the last lambda, and their derivatives; on every rank */
  TwofoldSeen seen;  /* that lambda */
  PetscInt changes;  /* of (beta, gamma): the count of KRRKernel.computed */
  Vec lambda, w;     /* templates of the two spaces */
  PetscScalar *all;  /* work: a vector of w's space on every rank */
  /* the point of linearisation, its vectors borrowed */
  struct {
    Vec lambda, w;
    PetscInt changes;
    PetscBool multiplied; /* Kw and G are there */
    PetscScalar *Kw, *G;  /* K w, and K (w * x_.k) for all k */
  } point;
  /* bounds that do not depend on w, of the kernels at `computed`: see krr.c */
  struct {
    PetscInt computed;
    PetscReal B, B_val, K_val; /* B, B', ||K'|| */
  } bounds;
} KRR;

/* Drops what set-up or a model brought. */
PetscErrorCode KRRReset_Private(BLP blp);
/* The spaces, with nlocal of the blp->nw training samples on this rank, and what is on every rank.
 * Collective.
 */
PetscErrorCode KRRLayOut_Private(BLP blp, PetscInt nlocal);
/* (beta, gamma) at lambda, kept until it changes. Collective. */
PetscErrorCode KRRUpdateParameters_Private(BLP blp, Vec lambda);
/* (beta, gamma) and the kernel of a set at lambda, computed where they are another's. Collective. */
PetscErrorCode KRRUpdate_Private(BLP blp, BLPSet set, Vec lambda);
/* Kw = K w and r = y - K w on this rank's samples of a set; w stays in krr->all. Collective. */
PetscErrorCode KRRResiduals_Private(BLP blp, BLPSet set, Vec lambda, Vec w, PetscScalar Kw[],
                                    PetscScalar r[]);
/* g = s * a, with all of a on every rank. */
PetscErrorCode KRRSetGradient_Private(const KRR *krr, const PetscReal a[], Vec g);

/* Loss and accuracy of samples for which Kw is predicted. Collective. */
PetscErrorCode KRRMeasure_Private(const KRR *krr, const KRRSamples *samples, const PetscScalar Kw[],
                                  BLPMetrics *metrics);

/* krr_model.c */
PetscErrorCode BLPSaveModel_KRR(BLP blp, TwofoldGroup group);
PetscErrorCode BLPLoadModel_KRR(BLP blp, TwofoldGroup group);
PetscErrorCode BLPPredict_KRR(BLP blp, DataSet ds, Vec lambda, Vec w, Vec *Z, BLPMetrics *metrics);

/* krr_bounds.c */
PetscErrorCode BLPStrongConvexity_KRR(BLP blp, Vec lambda, TwofoldConstant *mu);
PetscErrorCode BLPStrongConvexityGradient_KRR(BLP blp, Vec lambda, Vec g);
PetscErrorCode BLPSmoothness_KRR(BLP blp, Vec lambda, TwofoldConstant *L);
PetscErrorCode BLPSmoothnessGradient_KRR(BLP blp, Vec lambda, Vec g);
PetscErrorCode BLPLossLipschitz_KRR(BLP blp, Vec lambda, Vec w, PetscReal radius, BLPLipschitz *c);

#endif
