#ifndef TWOFOLD_BLP_H
#define TWOFOLD_BLP_H
/**
 * @file
 * BLP: the bilevel problem min f(lambda) = E(w(lambda), lambda), w(lambda) = argmin_w l(w, lambda), or
 * w(lambda) = Phi(w(lambda), lambda) where the lower level is a map.
 *
 * Symbols and equations follow Grazzi, Franceschi, Pontil, Salzo, ICML 2020. A type of problem is a file of
 * problems/; twofold/blpuser.h makes one of callbacks.
 */
#include <twofold/dataset.h>
#include <petscmat.h>
#include <petscvec.h>
#include <petscviewer.h>

#if defined(__cplusplus)
extern "C" {
#endif

/** Handle of a problem, a PETSc object. */
typedef struct _p_BLP *BLP;
/** Name of a type of problems. */
typedef const char *BLPType;
#define BLPSOFTMAX         "softmax" /**< multinomial logistic regression, one regularisation weight a feature */
#define BLPBIASEDREG       "biasedreg" /**< least squares, weights drawn towards lambda */
#define BLPLOGISTIC        "logistic"  /**< two classes, in sums, one positive weight a feature */
#define BLPKRR             "krr"  /**< kernel ridge regression, a width of the Gaussian kernel a feature */
#define BLPUSER            "user" /**< by callbacks of a C program: twofold/blpuser.h */
#define BLPQUADRATIC       "quadratic" /**< synthetic, everything known in closed form */
#define BLPHYPERREP        "hyperrep" /**< ridge regression on a linear representation, which is learnt above */
#define BLPDISTILL         "distill" /**< a few training images, which are learnt above, and softmax regression */
#define BLPDATACLEAN       "dataclean" /**< softmax regression with a weight a sample, some of wrong labels */
#define BLPEQUILIBRIUM     "equilibrium"     /**< a classifier of fixed points, one a training sample */
#define BLPCONVEQUILIBRIUM "convequilibrium" /**< the same with convolutions, of square images */

/** Kinds of samples. */
typedef enum {
  BLP_TRAIN, /**< training: the lower level's */
  BLP_VAL,   /**< validation: the upper level's */
  BLP_TEST   /**< test: used by neither level */
} BLPSet;
/** Names of the kinds: "train", "val", "test"; laid out as for PetscOptionsEnum(). */
extern const char *const BLPSets[];

/** Which entries of a problem's lambda are one and the same number. Entry (j, k) stands for column k of row j
    of an interlaced lambda, for softmax: class k of feature j. */
typedef enum {
  BLP_TIE_OWN,     /**< none: lambda as the problem has it (softmax: one a feature) */
  BLP_TIE_FEATURE, /**< lambda_jk = theta_j */
  BLP_TIE_CLASS,   /**< lambda_jk = theta_k */
  BLP_TIE_WEIGHT,  /**< lambda_jk = theta_jk: all of them free */
  BLP_TIE_SCALAR   /**< lambda_jk = theta */
} BLPTie;
/** Names of the ties: "own", "feature", "class", "weight", "scalar"; laid out as for PetscOptionsEnum(). */
extern const char *const BLPTies[];

/** What BLPEvaluate() measures on a set of samples. */
typedef struct {
  PetscReal loss;     /**< mean over the samples, without regularisation */
  PetscReal accuracy; /**< fraction in [0, 1]; NaN where what is predicted is no class */
  PetscInt n;         /**< number of samples */
} BLPMetrics;

/**
 * Makes a problem without type.
 *
 * @collective
 *
 * @param[in]     comm    communicator of lambda, w and the samples
 * @param[out]    blp     new problem; free with BLPDestroy()
 */
PetscErrorCode BLPCreate(MPI_Comm comm, BLP *blp);
/**
 * Drops a reference; the last one frees the problem.
 *
 * @collective
 *
 * @param[in,out] blp     the problem, NULL afterwards; a problem of NULL is accepted
 */
PetscErrorCode BLPDestroy(BLP *blp);
/**
 * Sets what stands before the names of the options of the problem and of its data sets.
 *
 * @logicallycollective
 *
 * @param[in]     blp     the problem
 * @param[in]     prefix  the owner's prefix, or NULL
 */
PetscErrorCode BLPSetOptionsPrefix(BLP blp, const char prefix[]);
/**
 * Sets the type of problem; what belonged to another type is dropped.
 *
 * @logicallycollective
 *
 * @param[in]     blp     the problem
 * @param[in]     type    BLPSOFTMAX, BLPUSER or a registered name
 *
 * @raises PETSC_ERR_ARG_UNKNOWN_TYPE the type is not registered
 * @option{-blp_type T}
 */
PetscErrorCode BLPSetType(BLP blp, BLPType type);
/**
 * Reads the options of the problem and of its type; without any, a problem without type becomes BLPSOFTMAX.
 *
 * Those that name samples are read where the type needs samples, and names of files only: BLPSetUp() reads
 * the files.
 *
 * @collective
 *
 * @param[in]     blp     the problem
 *
 * @raises PETSC_ERR_ARG_UNKNOWN_TYPE the type is not registered
 * @raises PETSC_ERR_ARG_OUTOFRANGE a value is not in its range
 * @raises PETSC_ERR_ARG_WRONGSTATE the problem is set up with another tie
 * @option{-blp_type T}
 * @option{-blp_train FILE}
 * @option{-blp_val FILE}
 * @option{-blp_test FILE}
 * @option{-blp_data FILE|synthetic|synthetic_text}
 * @option{-blp_synthetic_n N}
 * @option{-blp_synthetic_nval N}
 * @option{-blp_synthetic_ntest N}
 * @option{-blp_synthetic_p P}
 * @option{-blp_synthetic_noise S}
 * @option{-blp_synthetic_kind regression|sign}
 * @option{-blp_synthetic_classes C}
 * @option{-blp_synthetic_length M}
 * @option{-blp_synthetic_zipf S}
 * @option{-blp_synthetic_topic T}
 * @option{-blp_split RULE}
 * @option{-blp_seed S}
 * @option{-blp_stratified}
 * @option{-blp_folds F}
 * @option{-blp_fold_groups G}
 * @option{-data_scale none|unit|standard}
 * @option{-blp_lambda_tie KIND}
 * @option{-blp_upper_l2 RHO}
 * @option{-blp_bias}
 * @option{-blp_biasedreg_beta BETA}
 * @option{-blp_test_derivatives}
 * @option{-blp_view}
 */
PetscErrorCode BLPSetFromOptions(BLP blp);
/**
 * Reads the data the options name, where BLPSetData() gave none, and lays out the spaces.
 *
 * Nothing happens where the problem is set up already.
 *
 * @collective
 *
 * @param[in,out] blp     the problem, its type set
 *
 * @raises PETSC_ERR_ARG_TYPENOTSET the problem has no type
 * @raises PETSC_ERR_USER_INPUT the type needs samples, and the options name none
 * @raises PETSC_ERR_ARG_WRONGSTATE there are no validation samples where the type needs them, or BLPUSER
 * lacks sizes, E or a lower level
 * @raises PETSC_ERR_ARG_WRONG a text corpus among several files, or validation samples where there are folds
 * @raises PETSC_ERR_ARG_INCOMP -blp_data beside -blp_train or -blp_val, a tie beside BLPSetLambdaMap(),
 * a lower bound above the upper one, synthetic targets where the problem needs classes, synthetic text where
 * it needs targets, or -blp_stratified
 * where labels are targets
 * @raises PETSC_ERR_ARG_OUTOFRANGE the split leaves no validation samples, or synthetic samples have sizes
 * that are not positive or a law out of its range
 * @raises PETSC_ERR_ARG_SIZ bounds or map do not fit lambda
 * @raises PETSC_ERR_FILE_OPEN a file is missing
 * @raises PETSC_ERR_FILE_UNEXPECTED a file has bad content, or the sets do not agree (DataSetAgree())
 * @raises PETSC_ERR_SUP BLP_TIE_CLASS where lambda has one entry a row; folds of a type without samples, or
 * with BLPSetLambdaMap()
 */
PetscErrorCode BLPSetUp(BLP blp);
/**
 * Prints the problem; viewers that do not print text are ignored.
 *
 * @collective
 *
 * @param[in]     blp     the problem
 * @param[in]     viewer  where to, NULL for standard output
 *
 * @option{-blp_view}
 */
PetscErrorCode BLPView(BLP blp, PetscViewer viewer);

/**
 * Gives the samples; references are taken until BLPSetUp().
 *
 * BLPSetUp() changes the sets: they are made to agree on features and classes (DataSetAgree()), and scaled
 * where
 * `-data_scale` is given.
 *
 * @collective
 *
 * @param[in]     blp     the problem
 * @param[in]     train   training samples
 * @param[in]     val     validation samples; NULL where there are folds (BLPSetFolds())
 * @param[in]     test    test samples; may be NULL
 */
PetscErrorCode BLPSetData(BLP blp, DataSet train, DataSet val, DataSet test);
/**
 * Tells whether the problem has samples of a kind.
 *
 * @notcollective
 *
 * @param[in]     blp     the problem, after BLPSetUp()
 * @param[in]     set     the kind
 * @param[out]    has     whether it has
 */
PetscErrorCode BLPHasSet(BLP blp, BLPSet set, PetscBool *has);

/**
 * Makes f the mean over F folds of the training samples, each with its own lower level.
 *
 * Fold k validates and the others train, for k = 0 .. F - 1: the samples are those of -blp_data, or the
 * training set of BLPSetData() without a validation set. The folds are keyed by (seed, global index), with
 * -blp_seed and -blp_stratified; see DataSetFold(). G groups of consecutive ranks compute different folds at
 * the same time: fold k belongs to group k mod G. Such a problem has a lambda, but no w of its own: HGSolve()
 * gives f and its gradient, HGMeasure() loss and accuracy; BLPUpper() and all that belongs to one lower level
 * raises PETSC_ERR_SUP.
 *
 * @logicallycollective
 *
 * @param[in]     blp  the problem, before BLPSetUp()
 * @param[in]     F    number of folds, at least 2; 0 for none
 * @param[in]     G    number of groups, 1 .. min(F, ranks)
 *
 * @option{-blp_folds F}
 * @option{-blp_fold_groups G}
 * @raises PETSC_ERR_ARG_OUTOFRANGE a number is not in its range
 * @equation{f = 1/F sum_k E_k}
 */
PetscErrorCode BLPSetFolds(BLP blp, PetscInt F, PetscInt G);

/**
 * Gives the folds of a problem and the children of this rank's group.
 *
 * It sets up the problem where there are folds. Any of the pointers may be NULL.
 *
 * @collective
 *
 * @param[in]     blp       the problem
 * @param[out]    F         number of folds, 0 where it has none
 * @param[out]    G         number of groups
 * @param[out]    nlocal    number of folds of this rank's group
 * @param[out]    children  their problems in the order of the folds, on the group's communicator;
 *                          borrowed
 */
PetscErrorCode BLPGetFolds(BLP blp, PetscInt *F, PetscInt *G, PetscInt *nlocal, BLP *children[]);

/**
 * Ties the entries of lambda: all other functions then take and give the tied vector theta as lambda.
 *
 * @logicallycollective
 *
 * @param[in]     blp     the problem, before BLPSetUp()
 * @param[in]     kind    the tie; BLP_TIE_OWN is the default
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE the problem is set up with another tie
 * @raises PETSC_ERR_SUP by BLPSetUp(): BLP_TIE_CLASS where lambda has one entry a row
 * @option{-blp_lambda_tie KIND}
 * @equation{lambda = T theta\, grad f(theta) = T^T grad f(lambda)}
 */
PetscErrorCode BLPSetTie(BLP blp, BLPTie kind);
/**
 * Gives the tie that was set.
 *
 * @notcollective
 *
 * @param[in]     blp     the problem
 * @param[out]    kind    its tie
 */
PetscErrorCode BLPGetTie(BLP blp, BLPTie *kind);
/**
 * Puts any linear map in front of the problem: all other functions then take and give theta as lambda.
 *
 * @collective
 *
 * @param[in]     blp     the problem; objects that use it are set up afterwards
 * @param[in]     T       one row for each entry of the problem's lambda (BLP_TIE_OWN or BLP_TIE_WEIGHT),
 *                        dealt to the ranks as those are, one column for each of theta; to be set again where
 *                        its entries change. NULL: no map any more. A reference is taken
 *
 * @raises PETSC_ERR_ARG_SIZ by BLPSetUp() where it comes later: rows that do not fit, or no columns
 * @raises PETSC_ERR_ARG_INCOMP likewise: a tie of another kind is set
 * @equation{lambda = T theta\, grad f(theta) = T^T grad f(lambda)}
 */
PetscErrorCode BLPSetLambdaMap(BLP blp, Mat T);
/**
 * Adds a penalty of the hyperparameters to the upper objective.
 *
 * @logicallycollective
 *
 * @param[in]     blp     the problem
 * @param[in]     rho     its weight, at least 0 (the default)
 *
 * @raises PETSC_ERR_ARG_OUTOFRANGE negative or not finite
 * @option{-blp_upper_l2 RHO}
 * @equation{E + rho/2 ||lambda||^2\, of the tied lambda where there is a tie}
 */
PetscErrorCode BLPSetUpperL2(BLP blp, PetscReal rho);

/**
 * Makes vectors of lambda's and w's spaces; sets up the problem where needed.
 *
 * @collective
 *
 * @param[in]     blp     the problem
 * @param[out]    lambda  new vector of nlambda entries (of theta where there is a tie or map); may be NULL
 * @param[out]    w       new vector of nw entries; may be NULL
 */
PetscErrorCode BLPCreateVecs(BLP blp, Vec *lambda, Vec *w);
/**
 * Gives the lambda that a run starts from where nobody names one: 0, but where that is no place to start a
 * problem's own, keyed by global indices.
 *
 * @collective
 *
 * @param[in]     blp     the problem, set up
 * @param[out]    lambda  hyperparameters (nlambda entries)
 */
PetscErrorCode BLPGetStart(BLP blp, Vec lambda);
/**
 * Gives the global sizes of the two spaces; sets up the problem where needed.
 *
 * @collective
 *
 * @param[in]     blp      the problem
 * @param[out]    nlambda  entries of lambda (of theta where there is a tie or map); may be NULL
 * @param[out]    nw       entries of w; may be NULL
 */
PetscErrorCode BLPGetSizes(BLP blp, PetscInt *nlambda, PetscInt *nw);

/**
 * Computes the upper level E(w, lambda) and its gradients.
 *
 * @collective
 *
 * @param[in]     blp     the problem, set up
 * @param[in]     lambda  hyperparameters (nlambda entries)
 * @param[in]     w       lower variable (nw entries)
 * @param[out]    E       value, the penalty of BLPSetUpperL2() in it, the same on every rank
 * @param[out]    g1      grad1 E, the gradient in w (nw entries); may be NULL
 * @param[out]    g2      grad2 E, the gradient in lambda (nlambda entries); may be NULL
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE the problem has no samples: it was read by BLPLoadModel()
 * @raises PETSC_ERR_SUP the problem has no upper level, or a lower level in each of several folds
 */
PetscErrorCode BLPUpper(BLP blp, Vec lambda, Vec w, PetscReal *E, Vec g1, Vec g2);
/**
 * Differentiates the gradients of E in w along a direction: by central differences, at two points w +- h dw
 * whose distance from w is eps^(1/3) times the longer one of w and dw.
 *
 * @collective
 *
 * @param[in]     blp     the problem, set up
 * @param[in]     lambda  hyperparameters (nlambda entries)
 * @param[in]     w       lower variable (nw entries)
 * @param[in]     dw      direction in w's space
 * @param[out]    y1      D_w[grad1 E] dw, in w's space; may be NULL
 * @param[out]    y2      D_w[grad2 E] dw, in lambda's space; may be NULL
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE as BLPUpper()
 * @raises PETSC_ERR_SUP as BLPUpper()
 */
PetscErrorCode BLPUpperDerivative(BLP blp, Vec lambda, Vec w, Vec dw, Vec y1, Vec y2);
/**
 * Tells whether the problem knows its solution in closed form: BLPGetExact().
 *
 * @notcollective
 *
 * @param[in]  blp the problem, set up
 * @param[out] has whether it does
 */
PetscErrorCode BLPHasExact(BLP blp, PetscBool *has);
/**
 * Gives the solution of the lower level, the upper objective and its gradient in closed form, to rounding.
 *
 * Any of the three may be NULL. A tie or map of lambda and the penalty of BLPSetUpperL2() are in them.
 *
 * @collective
 *
 * @param[in]     blp     the problem, set up
 * @param[in]     lambda  hyperparameters (nlambda entries)
 * @param[out]    w       w(lambda) (nw entries)
 * @param[out]    f       f(lambda), the same on every rank
 * @param[out]    g       grad f(lambda) (nlambda entries)
 *
 * @raises PETSC_ERR_SUP the problem has no closed form, or a lower level in each of several folds
 * @equation{grad f = grad2 E + w'(lambda)^T grad1 E at w = w(lambda)}
 */
PetscErrorCode BLPGetExact(BLP blp, Vec lambda, Vec w, PetscReal *f, Vec g);
/**
 * Computes the lower level as a loss: l(w, lambda) and its gradient.
 *
 * @collective
 *
 * @param[in]     blp     the problem, set up
 * @param[in]     lambda  hyperparameters (nlambda entries)
 * @param[in]     w       lower variable (nw entries)
 * @param[out]    l       value, the same on every rank; NaN where the problem has a gradient alone; may be
 * NULL
 * @param[out]    g       grad_w l (nw entries)
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE the problem has no samples: it was read by BLPLoadModel()
 * @raises PETSC_ERR_SUP the lower level is not a loss, or there is one in each of several folds
 */
PetscErrorCode BLPLossGradient(BLP blp, Vec lambda, Vec w, PetscReal *l, Vec g);
/**
 * Fixes the point of the second derivatives of the loss; w and lambda must stay as they are while these are
 * used.
 *
 * The problem holds the vectors until the next point is fixed.
 *
 * @collective
 *
 * @param[in]     blp     the problem, set up
 * @param[in]     lambda  hyperparameters
 * @param[in]     w       lower variable
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE the problem has no samples: it was read by BLPLoadModel()
 * @raises PETSC_ERR_SUP the lower level is not a loss, or there is one in each of several folds
 */
PetscErrorCode BLPLossLinearize(BLP blp, Vec lambda, Vec w);
/**
 * Multiplies by the Hessian of the loss: y = grad^2_ww l v.
 *
 * @collective
 *
 * @param[in]     blp     the problem, after BLPLossLinearize()
 * @param[in]     v       in w's space (nw entries)
 * @param[out]    y       product, in w's space
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE BLPLossLinearize() was not called
 * @raises PETSC_ERR_SUP the problem has no such product
 */
PetscErrorCode BLPLossHessianMult(BLP blp, Vec v, Vec y);
/**
 * Computes the diagonal of the Hessian at the point of BLPLossLinearize().
 *
 * @collective
 *
 * @param[in]     blp  the problem
 * @param[out]    d    diagonal of grad^2_ww l (w's layout)
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE BLPLossLinearize() was not called
 * @raises PETSC_ERR_SUP the problem gives no diagonal
 */
PetscErrorCode BLPLossHessianDiagonal(BLP blp, Vec d);
/**
 * Multiplies by the cross derivative of the loss: y = (d/dlambda grad_w l) u, from lambda's space to w's.
 *
 * @collective
 *
 * @param[in]     blp     the problem, after BLPLossLinearize()
 * @param[in]     u       direction in lambda's space (nlambda entries)
 * @param[out]    y       product, in w's space (nw entries)
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE BLPLossLinearize() was not called
 * @raises PETSC_ERR_SUP the problem has no such product
 */
PetscErrorCode BLPLossCrossMult(BLP blp, Vec u, Vec y);
/**
 * Multiplies by its transpose: g = (d/dlambda grad_w l)^T v, from w's space to lambda's.
 *
 * @collective
 *
 * @param[in]     blp     the problem, after BLPLossLinearize()
 * @param[in]     v       in w's space (nw entries)
 * @param[out]    g       product, in lambda's space (nlambda entries)
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE BLPLossLinearize() was not called
 * @raises PETSC_ERR_SUP the problem has no such product
 */
PetscErrorCode BLPLossCrossMultTranspose(BLP blp, Vec v, Vec g);

/**
 * Tells whether the lower level is (also) a loss: BLPLossGradient() and its like.
 *
 * @notcollective
 *
 * @param[in]  blp the problem, its type (and callbacks) set
 * @param[out] has whether it is
 */
PetscErrorCode BLPHasLoss(BLP blp, PetscBool *has);
/**
 * Tells whether the lower level is (also) a map: BLPMapApply() and its like.
 *
 * @notcollective
 *
 * @param[in]  blp the problem, its type (and callbacks) set
 * @param[out] has whether it is
 */
PetscErrorCode BLPHasMap(BLP blp, PetscBool *has);
/**
 * Applies the lower level's own map.
 *
 * @collective
 *
 * @param[in]  blp    the problem
 * @param[in]  lambda hyperparameters
 * @param[in]  w      where
 * @param[out] y      Phi(w, lambda), not w itself
 *
 * @raises PETSC_ERR_SUP the lower level is not a map
 */
PetscErrorCode BLPMapApply(BLP blp, Vec lambda, Vec w, Vec y);
/**
 * Fixes the point of the products of the map's derivatives; w and lambda must stay as they are while these
 * are used.
 *
 * The problem holds the vectors until the next point is fixed. It is not the point of the loss
 * (BLPLossLinearize()).
 *
 * @collective
 *
 * @param[in] blp    the problem
 * @param[in] lambda hyperparameters
 * @param[in] w      where
 *
 * @raises PETSC_ERR_SUP the lower level is not a map
 */
PetscErrorCode BLPMapLinearize(BLP blp, Vec lambda, Vec w);
/**
 * Multiplies by the map's derivative in w: y = d1Phi v.
 *
 * @collective
 *
 * @param[in]  blp the problem, after BLPMapLinearize()
 * @param[in]  v   direction in w's space
 * @param[out] y   product, in w's space
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE BLPMapLinearize() was not called
 * @raises PETSC_ERR_SUP the problem has no such product
 */
PetscErrorCode BLPMapJVP(BLP blp, Vec v, Vec y);
/**
 * Multiplies by its transpose: y = d1Phi^T v.
 *
 * @collective
 *
 * @param[in]  blp the problem, after BLPMapLinearize()
 * @param[in]  v   in w's space
 * @param[out] y   product, in w's space
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE BLPMapLinearize() was not called
 * @raises PETSC_ERR_SUP the problem has no such product
 */
PetscErrorCode BLPMapVJP(BLP blp, Vec v, Vec y);
/**
 * Multiplies by the map's derivative in lambda: y = d2Phi u.
 *
 * @collective
 *
 * @param[in]  blp the problem, after BLPMapLinearize()
 * @param[in]  u   direction in lambda's space
 * @param[out] y   product, in w's space
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE BLPMapLinearize() was not called
 * @raises PETSC_ERR_SUP the problem has no such product
 */
PetscErrorCode BLPMapParameterJVP(BLP blp, Vec u, Vec y);
/**
 * Multiplies by its transpose: g = d2Phi^T v.
 *
 * @collective
 *
 * @param[in]  blp the problem, after BLPMapLinearize()
 * @param[in]  v   in w's space
 * @param[out] g   product, in lambda's space
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE BLPMapLinearize() was not called
 * @raises PETSC_ERR_SUP the problem has no such product
 */
PetscErrorCode BLPMapParameterVJP(BLP blp, Vec v, Vec g);
/**
 * Tells whether the map's d1Phi is symmetric, by the problem's word.
 *
 * @notcollective
 *
 * @param[in]  blp       the problem
 * @param[out] symmetric whether it is; false without a map
 */
PetscErrorCode BLPMapIsSymmetric(BLP blp, PetscBool *symmetric);
/**
 * Tells whether the problem has steps of its map that are quicker than one by one.
 *
 * @notcollective
 *
 * @param[in]  blp     the problem
 * @param[out] forward whether BLPMapSteps() may be called; false without a map
 * @param[out] adjoint whether BLPMapAdjointSteps() may be called, likewise
 */
PetscErrorCode BLPHasMapSteps(BLP blp, PetscBool *forward, PetscBool *adjoint);
/**
 * Makes n steps of the map in place: w <- Phi(w, lambda), n times.
 *
 * @collective
 *
 * @param[in]     blp    the problem
 * @param[in]     lambda hyperparameters
 * @param[in]     n      number of steps
 * @param[in,out] w      the point
 *
 * @raises PETSC_ERR_SUP the problem has no such steps: BLPHasMapSteps() tells
 */
PetscErrorCode BLPMapSteps(BLP blp, Vec lambda, PetscInt n, Vec w);
/**
 * Makes n steps of the fixed-point method of the adjoint in place: v <- d1Phi^T v + b, n times, at the point
 * of BLPMapLinearize().
 *
 * @collective
 *
 * @param[in]     blp the problem
 * @param[in]     b   right-hand side, in w's space
 * @param[in]     n   number of steps
 * @param[in,out] v   the adjoint
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE BLPMapLinearize() was not called
 * @raises PETSC_ERR_SUP the problem has no such steps: BLPHasMapSteps() tells
 */
PetscErrorCode BLPMapAdjointSteps(BLP blp, Vec b, PetscInt n, Vec v);
/**
 * Tells whether the problem has such steps as BLPMapNormalStep() makes.
 *
 * @notcollective
 *
 * @param[in]  blp the problem
 * @param[out] has whether BLPMapNormalStep() may be called; false without a map
 */
PetscErrorCode BLPHasMapNormalStep(BLP blp, PetscBool *has);
/** A step of conjugate gradients on normal equations: see BLPMapNormalStep(). */
typedef struct {
  PetscReal alpha;     /**< the length found before, yet to be made; 0 at first */
  PetscReal beta;      /**< of the direction before in the next; 0 at first */
  PetscBool last;      /**< z is not wanted, nor its product made */
  PetscReal rr;        /**< ||r||^2 */
  PetscReal curvature; /**< ||A p||^2 */
  PetscReal rz;        /**< r.z, 0 of the last step */
  PetscReal zz;        /**< ||z||^2, likewise */
} BLPNormalStep;
/**
 * Makes a step of conjugate gradients on A^T A v = A^T b, A = I - d1Phi^T at the point of BLPMapLinearize(),
 * in one pass over the vectors: with step's alpha, beta and last,
 *
 *     v <- v + alpha p,   r <- r - alpha z,   p <- r + beta p,   z <- A^T A p
 *
 * and the sums by which a caller finds the next alpha and beta. r is the residual of the normal equations.
 *
 * @collective
 *
 * @param[in]     blp  the problem
 * @param[in,out] step alpha, beta and last; sums
 * @param[in,out] v    the adjoint, in w's space; not touched with alpha = 0
 * @param[in,out] r    A^T (b - A v), likewise
 * @param[in,out] p    the direction; not read with alpha = beta = 0
 * @param[in,out] z    A^T A p, but of no meaning after the last step; not read with alpha = 0
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE BLPMapLinearize() was not called
 * @raises PETSC_ERR_SUP the problem has no such step: BLPHasMapNormalStep() tells
 */
PetscErrorCode BLPMapNormalStep(BLP blp, BLPNormalStep *step, Vec v, Vec r, Vec p, Vec z);
/**
 * Tells whether the problem can sum products d2Phi^T v of several points for less than they cost one by one.
 *
 * @notcollective
 *
 * @param[in]  blp the problem
 * @param[out] can whether BLPMapParameterVJPSum() may be called
 */
PetscErrorCode BLPCanSumParameterVJP(BLP blp, PetscBool *can);
/**
 * Adds d2Phi^T v at the point of BLPMapLinearize() to a sum that the problem keeps.
 *
 * @collective
 *
 * @param[in]     blp the problem
 * @param[in]     v   direction, in w's space
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE BLPMapLinearize() was not called
 * @raises PETSC_ERR_SUP the problem has no such sum: BLPCanSumParameterVJP() tells
 */
PetscErrorCode BLPMapParameterVJPSum(BLP blp, Vec v);
/**
 * Gives the sum, g = sum d2Phi^T v, and begins a new one.
 *
 * @collective
 *
 * @param[in]     blp the problem
 * @param[out]    g   the sum, in lambda's space; 0 where nothing was added
 *
 * @raises PETSC_ERR_SUP the problem has no such sum: BLPCanSumParameterVJP() tells
 */
PetscErrorCode BLPMapParameterVJPTakeSum(BLP blp, Vec g);

/**
 * Tells which entries of lambda are the kernel of a convolution with wrapped edges, laid out as
 * LSETConvSpectralSetKernel() says, that decides whether the lower level contracts: where its norm is below
 * 1, it does. A set of type convspectral keeps it there.
 *
 * @notcollective
 *
 * @param[in]  blp   the problem, set up
 * @param[out] first number of the kernel's first entry in lambda
 * @param[out] out   channels that it makes; 0 where there is none, or lambda is tied
 * @param[out] in    channels that it takes
 * @param[out] width of its taps, width x width
 * @param[out] grid  width of the images, grid x grid
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE the problem is not set up
 */
PetscErrorCode BLPGetKernel(BLP blp, PetscInt *first, PetscInt *out, PetscInt *in, PetscInt *width,
                            PetscInt *grid);

/**
 * Sets bounds of lambda, for any problem.
 *
 * A problem whose lambda must be positive has the lower bound 1e-6 from BLPSetUp() on, unless it is given one
 * or a map (BLPSetLambdaMap()).
 *
 * @collective
 *
 * @param[in] blp   the problem
 * @param[in] lower laid out as lambda, PETSC_NINFINITY where there is no bound; NULL: no lower bounds. A
 *                  reference is kept
 * @param[in] upper likewise with PETSC_INFINITY
 *
 * @raises PETSC_ERR_ARG_INCOMP a lower bound is above the upper one; also raised by BLPSetUp()
 * @raises PETSC_ERR_ARG_SIZ a bound is not laid out as lambda; also raised by BLPSetUp()
 */
PetscErrorCode BLPSetBounds(BLP blp, Vec lower, Vec upper);
/**
 * Gives the bounds of lambda.
 *
 * @notcollective
 *
 * @param[in]  blp   the problem
 * @param[out] lower borrowed, NULL where there are none; may be NULL
 * @param[out] upper borrowed, NULL where there are none; may be NULL
 */
PetscErrorCode BLPGetBounds(BLP blp, Vec *lower, Vec *upper);

/**
 * Tells which entries of lambda are a matrix, row by row, that decides whether the lower level contracts:
 * where its singular values are below 1, it does. A set of type spectral keeps them there.
 *
 * @notcollective
 *
 * @param[in]  blp     the problem, set up
 * @param[out] first   number of the matrix's first entry in lambda
 * @param[out] rows    its rows; 0 where there is none, or lambda is tied
 * @param[out] columns its columns
 */
PetscErrorCode BLPGetMatrix(BLP blp, PetscInt *first, PetscInt *rows, PetscInt *columns);

/**
 * Names the numbers to watch along a run that this type of problem can tell of a point.
 *
 * @notcollective
 *
 * @param[in]  blp    the problem
 * @param[out] n      how many, 0 where it has none
 * @param[out] names  their names, borrowed: one word each
 */
PetscErrorCode BLPGetDiagnostics(BLP blp, PetscInt *n, const char *const **names);

/**
 * Computes these numbers at a point. The point of linearisation stays.
 *
 * @collective
 *
 * @param[in]  blp     the problem, set up
 * @param[in]  lambda  hyperparameters (nlambda entries)
 * @param[in]  w       lower variable (nw entries)
 * @param[out] values  one for each name of BLPGetDiagnostics(), the same on every rank
 *
 * @raises PETSC_ERR_SUP the problem has no such numbers
 */
PetscErrorCode BLPDiagnose(BLP blp, Vec lambda, Vec w, PetscReal values[]);

/**
 * Checks every derivative of the problem at a point.
 *
 * These are grad1 E, grad2 E, grad_w l, Hessian, cross products, and the map's products. The check is by
 * Taylor remainders along random directions (keyed: the same on any number of ranks), and products against
 * their transposes.
 *
 * @collective
 *
 * @param[in] blp    the problem
 * @param[in] lambda hyperparameters
 * @param[in] w      where: best a point without structure
 * @param[in] viewer prints a table of what was checked with orders and errors; NULL: silent
 *
 * @raises PETSC_ERR_USER a derivative is wrong, or a function is not finite or not differentiable at the
 *         point: the message names it and the measured order
 * @equation{||F(x + h d) - F(x) - h F'(x) d|| = O(h^2)}
 */
PetscErrorCode BLPTestDerivatives(BLP blp, Vec lambda, Vec w, PetscViewer viewer);
/**
 * Asks for BLPTestDerivatives() before the first hypergradient (HGSolve()), at its lambda and a random w of
 * the lower state's size.
 *
 * @logicallycollective
 *
 * @param[in] blp  the problem
 * @param[in] test whether to test
 *
 * @option{-blp_test_derivatives}
 */
PetscErrorCode BLPSetTestDerivatives(BLP blp, PetscBool test);
/**
 * Tells whether BLPSetTestDerivatives() asked for the test.
 *
 * @notcollective
 *
 * @param[in]  blp  the problem
 * @param[out] test whether it did
 */
PetscErrorCode BLPGetTestDerivatives(BLP blp, PetscBool *test);

/**
 * Computes loss and accuracy on a set.
 *
 * @collective
 *
 * @param[in]     blp      the problem, set up
 * @param[in]     set      kind of samples
 * @param[in]     lambda   hyperparameters (nlambda entries)
 * @param[in]     w        lower variable (nw entries)
 * @param[out]    metrics  what was measured, the same on every rank
 *
 * @raises PETSC_ERR_ARG_WRONG the problem has no such set
 * @raises PETSC_ERR_SUP the problem cannot evaluate, or has a lower level in each of several folds
 */
PetscErrorCode BLPEvaluate(BLP blp, BLPSet set, Vec lambda, Vec w, BLPMetrics *metrics);

/**
 * Writes what is needed to apply the problem's solutions to other samples: the group `model` of an HDF5 file.
 *
 * Nothing is written where the type of problem cannot predict. A tie of lambda is written where it matters
 * (BLPPredictsByLambda()), a map of BLPSetLambdaMap() is not: give it to the problem that loads the model.
 *
 * @collective
 *
 * @param[in]     blp     the problem, set up
 * @param[in]     viewer  HDF5 viewer, writing; lambda and w are written beside it by VecView()
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE the problem is not set up
 * @raises PETSC_ERR_FILE_WRITE the group cannot be written
 */
PetscErrorCode BLPSaveModel(BLP blp, PetscViewer viewer);

/**
 * Makes the problem one without samples whose spaces, features and classes are those of a model file.
 *
 * The file may have been written by any number of ranks. BLPCreateVecs() and BLPPredict() work afterwards,
 * what needs samples does not.
 *
 * @collective
 *
 * @param[in,out] blp     the problem; its type is taken from the file
 * @param[in]     path    file that BLPSaveModel() wrote to
 *
 * @raises PETSC_ERR_FILE_OPEN there is no such file
 * @raises PETSC_ERR_FILE_UNEXPECTED it is no model, damaged, or of another type of problem
 */
PetscErrorCode BLPLoadModel(BLP blp, const char path[]);

/**
 * Turns samples into samples of this problem: features, classes and scaling become those of the training
 * samples.
 *
 * @collective
 *
 * @param[in]     blp     the problem, set up or loaded
 * @param[in,out] ds      samples, not adopted before
 * @param[out]    misfit  what did not fit (DataSetConform()); may be NULL
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE the problem is neither set up nor loaded, or the samples were scaled
 * before
 * @raises PETSC_ERR_FILE_UNEXPECTED the samples have other features
 */
PetscErrorCode BLPAdoptDataSet(BLP blp, DataSet ds, DataSetMisfit *misfit);

/**
 * Reads samples from a file as the training samples were read, and adopts them.
 *
 * @collective
 *
 * @param[in]     blp     the problem, set up or loaded
 * @param[in]     path    file or folder; the options of DataSet apply
 * @param[out]    ds      new set; free with DataSetDestroy()
 * @param[out]    misfit  as for BLPAdoptDataSet()
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE the problem is neither set up nor loaded
 * @raises PETSC_ERR_FILE_OPEN there is no such file
 * @raises PETSC_ERR_FILE_UNEXPECTED bad content, or other features
 */
PetscErrorCode BLPReadDataSet(BLP blp, const char path[], DataSet *ds, DataSetMisfit *misfit);

/**
 * Tells whether predictions need lambda beside w, as those of krr and hyperrep do.
 *
 * @notcollective
 *
 * @param[in]     blp        the problem, with a type
 * @param[out]    by_lambda  whether BLPPredict() needs lambda
 */
PetscErrorCode BLPPredictsByLambda(BLP blp, PetscBool *by_lambda);

/**
 * Computes the probabilities of the classes, sample by sample; where labels are targets, what is predicted
 * for them.
 *
 * @collective
 *
 * @param[in]     blp     the problem, set up or loaded
 * @param[in]     ds      samples of BLPAdoptDataSet()
 * @param[in]     lambda  upper variable; may be NULL where the type answers by w alone
 *                        (BLPPredictsByLambda())
 * @param[in]     w       lower variable
 * @param[out]    Z       new vector, n x c (n where labels are targets): interlaced, block size c,
 * distributed as the samples are; free with VecDestroy()
 * @param[out]    metrics loss and accuracy over the samples whose labels are known, as BLPEvaluate(), and
 *                        their number (without any the rest is NaN); may be NULL
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE the problem is neither set up nor loaded
 * @raises PETSC_ERR_ARG_NULL lambda is needed and NULL
 * @raises PETSC_ERR_SUP the type of problem cannot predict
 */
PetscErrorCode BLPPredict(BLP blp, DataSet ds, Vec lambda, Vec w, Vec *Z, BLPMetrics *metrics);

/**
 * Gives the memory of this rank's part of the problem.
 *
 * @notcollective
 *
 * @param[in]     blp     the problem, set up
 * @param[out]    bytes   bytes this rank holds
 */
PetscErrorCode BLPGetMemory(BLP blp, PetscLogDouble *bytes);

/**
 * Adds a type of problems.
 *
 * @notcollective
 *
 * @param[in]     type    its name
 * @param[in]     create  fills the table of ops (twofold/impl/blpimpl.h) of a problem
 */
PetscErrorCode BLPRegister(const char type[], PetscErrorCode (*create)(BLP));
/**
 * Gives the names of all registered types.
 *
 * @notcollective
 *
 * @param[out]    n       number of types
 * @param[out]    types   their names; free the array (not the names) with PetscFree()
 */
PetscErrorCode BLPGetRegistered(PetscInt *n, const char ***types);

#if defined(__cplusplus)
}
#endif
#endif
