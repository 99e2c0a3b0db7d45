#ifndef TWOFOLD_BLP_H
#define TWOFOLD_BLP_H
/* BLP: the bilevel problem  min f(lambda) = E(w(lambda), lambda),  w(lambda) = argmin_w l(w, lambda), or
   w(lambda) = Phi(w(lambda), lambda) where the lower level is a map. Symbols and equations follow Grazzi,
   Franceschi, Pontil, Salzo, ICML 2020. */
#include <twofold/dataset.h>
#include <petscmat.h>
#include <petscvec.h>
#include <petscviewer.h>

#if defined(__cplusplus)
extern "C" {
#endif

typedef struct _p_BLP *BLP;
typedef const char *BLPType;
#define BLPSOFTMAX "softmax" /* multinomial logistic regression, one regularisation weight a feature */
#define BLPUSER    "user"    /* by callbacks of a C program: twofold/blpuser.h */

typedef enum { BLP_TRAIN, BLP_VAL, BLP_TEST } BLPSet;
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
/** Names of the ties: "own", "feature", ... */
extern const char *const BLPTies[];

/* What BLPEvaluate() measures on a set of samples. */
typedef struct {
  PetscReal loss;     /* mean over the samples, without regularisation */
  PetscReal accuracy; /* fraction in [0, 1] */
  PetscInt n;         /* samples */
} BLPMetrics;

PetscErrorCode BLPCreate(MPI_Comm comm, BLP *blp);
PetscErrorCode BLPDestroy(BLP *blp);
PetscErrorCode BLPSetOptionsPrefix(BLP blp, const char prefix[]);
/* Option -blp_type. Logically collective. */
PetscErrorCode BLPSetType(BLP blp, BLPType type);
PetscErrorCode BLPSetFromOptions(BLP blp);
/* Reads the data the options name, where BLPSetData() gave none, and lays out the spaces. Collective. */
PetscErrorCode BLPSetUp(BLP blp);
PetscErrorCode BLPView(BLP blp, PetscViewer viewer);

/* Training, validation and test (may be NULL) samples; references are taken until BLPSetUp(), which
   changes them where -data_scale is given. Collective. */
PetscErrorCode BLPSetData(BLP blp, DataSet train, DataSet val, DataSet test);
/* Whether the problem has samples of this kind. Not collective; after BLPSetUp(). */
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
 * @raises{PETSC_ERR_ARG_OUTOFRANGE, a number is not in its range}
 * @equation{f = 1/F sum_k E_k}
 */
PetscErrorCode BLPSetFolds(BLP blp, PetscInt F, PetscInt G);

/**
 * Gives the folds of a problem and the children of this rank's group.
 *
 * @collective (it sets up the problem)
 *
 * @param[in]     blp       the problem
 * @param[out]    F         number of folds, 0 where it has none
 * @param[out]    G         number of groups
 * @param[out]    nlocal    number of folds of this rank's group
 * @param[out]    children  their problems in the order of the folds, on the group's communicator; borrowed.
 * Any of the pointers may be NULL
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
 * @raises{PETSC_ERR_ARG_WRONGSTATE, the problem is set up with another tie}
 * @raises{PETSC_ERR_SUP, by BLPSetUp(): BLP_TIE_CLASS where lambda has one entry a row}
 * @option{-blp_lambda_tie KIND}
 * @equation{lambda = T theta\, grad f(theta) = T^T grad f(lambda)}
 */
PetscErrorCode BLPSetTie(BLP blp, BLPTie kind);
/**
 * The tie that was set.
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
 * @raises{PETSC_ERR_ARG_SIZ, by BLPSetUp() where it comes later: rows that do not fit}
 * @raises{PETSC_ERR_ARG_INCOMP, likewise: a tie of another kind is set}
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
 * @raises{PETSC_ERR_ARG_OUTOFRANGE, negative or not finite}
 * @option{-blp_upper_l2 RHO}
 * @equation{E + rho/2 ||lambda||^2\, of the tied lambda where there is a tie}
 */
PetscErrorCode BLPSetUpperL2(BLP blp, PetscReal rho);

/* New vectors of lambda's and w's spaces; either may be NULL. Collective. */
PetscErrorCode BLPCreateVecs(BLP blp, Vec *lambda, Vec *w);
/* Global sizes of the two spaces. */
PetscErrorCode BLPGetSizes(BLP blp, PetscInt *nlambda, PetscInt *nw);

/* Upper level: E(w, lambda), and where not NULL its gradients g1 = grad1 E (in w) and g2 = grad2 E (in
   lambda). Collective. */
PetscErrorCode BLPUpper(BLP blp, Vec lambda, Vec w, PetscReal *E, Vec g1, Vec g2);
/* Lower level as a loss: g = grad_w l(w, lambda), and l where not NULL. Collective. */
PetscErrorCode BLPLossGradient(BLP blp, Vec lambda, Vec w, PetscReal *l, Vec g);
/* Fixes the point of the second derivatives below; w and lambda must stay as they are while these are used.
   Collective. */
PetscErrorCode BLPLossLinearize(BLP blp, Vec lambda, Vec w);
/* y = grad^2_ww l v. Collective. */
PetscErrorCode BLPLossHessianMult(BLP blp, Vec v, Vec y);
/* y = (d/dlambda grad_w l) u, from lambda's space to w's. Collective. */
PetscErrorCode BLPLossCrossMult(BLP blp, Vec u, Vec y);
/* g = (d/dlambda grad_w l)^T v, from w's space to lambda's. Collective. */
PetscErrorCode BLPLossCrossMultTranspose(BLP blp, Vec v, Vec g);
/** mu(lambda) >= 0 with grad^2_ww l >= mu I everywhere, as the problem gives it; unknown where it does not.
    Collective. */
PetscErrorCode BLPGetStrongConvexity(BLP blp, Vec lambda, TwofoldConstant *mu);
/** L(lambda) with grad^2_ww l <= L I everywhere, likewise. Collective. */
PetscErrorCode BLPGetSmoothness(BLP blp, Vec lambda, TwofoldConstant *L);

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
 * @raises{PETSC_ERR_SUP, the lower level is not a map}
 */
PetscErrorCode BLPMapApply(BLP blp, Vec lambda, Vec w, Vec y);
/**
 * Fixes the point of the products of the map's derivatives; w and lambda must stay as they are while these
 * are used. It is not the point of the loss (BLPLossLinearize()).
 *
 * @collective
 *
 * @param[in] blp    the problem
 * @param[in] lambda hyperparameters
 * @param[in] w      where
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
 * Returns a bound q(lambda) >= ||d1Phi(w, lambda)|| for every w, as the problem gives it; unknown where it
 * does not.
 *
 * @collective
 *
 * @param[in]  blp    the problem
 * @param[in]  lambda hyperparameters
 * @param[out] q      the constant
 */
PetscErrorCode BLPGetContraction(BLP blp, Vec lambda, TwofoldConstant *q);

/**
 * Sets bounds of lambda, for any problem.
 *
 * @collective
 *
 * @param[in] blp   the problem
 * @param[in] lower laid out as lambda, PETSC_NINFINITY where there is no bound; NULL: no lower bounds. A
 *                  reference is kept
 * @param[in] upper likewise with PETSC_INFINITY
 *
 * @raises{PETSC_ERR_ARG_INCOMP, a lower bound is above the upper one; also raised by BLPSetUp()}
 * @raises{PETSC_ERR_ARG_SIZ, a bound is not laid out as lambda; also raised by BLPSetUp()}
 */
PetscErrorCode BLPSetBounds(BLP blp, Vec lower, Vec upper);
/**
 * Returns the bounds of lambda.
 *
 * @notcollective
 *
 * @param[in]  blp   the problem
 * @param[out] lower borrowed, NULL where there are none; may be NULL
 * @param[out] upper borrowed, NULL where there are none; may be NULL
 */
PetscErrorCode BLPGetBounds(BLP blp, Vec *lower, Vec *upper);

/**
 * Checks every derivative of the problem at a point: grad1 E, grad2 E, grad_w l, Hessian, cross products, and
 * the map's products, by Taylor remainders along random directions (keyed: the same on any number of ranks),
 * and products against their transposes.
 *
 * @collective
 *
 * @param[in] blp    the problem
 * @param[in] lambda hyperparameters
 * @param[in] w      where: best a point without structure
 * @param[in] viewer prints a table of what was checked with orders and errors; NULL: silent
 *
 * @raises{PETSC_ERR_USER, a derivative is wrong\, or a function is not finite or not differentiable at the
 *         point: the message names it and the measured order}
 * @equation{||F(x + h d) - F(x) - h F'(x) d|| = O(h^2)}
 */
PetscErrorCode BLPTestDerivatives(BLP blp, Vec lambda, Vec w, PetscViewer viewer);
/**
 * Asks for that test before the first hypergradient (HGSolve()), at its lambda and a random w of the lower
 * state's size.
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

/* Loss and accuracy on a set. Raises PETSC_ERR_ARG_WRONG if the problem has no such set. Collective. */
PetscErrorCode BLPEvaluate(BLP blp, BLPSet set, Vec lambda, Vec w, BLPMetrics *metrics);

/**
 * Writes what is needed to apply the problem's solutions to other samples: the group `model` of an HDF5 file.
 *
 * Nothing is written where the type of problem cannot predict.
 *
 * @collective
 *
 * @param[in]     blp     the problem, set up
 * @param[in]     viewer  HDF5 viewer, writing; lambda and w are written beside it by VecView()
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
 * @raises{PETSC_ERR_FILE_OPEN, there is no such file}
 * @raises{PETSC_ERR_FILE_UNEXPECTED, it is no model, damaged, or of another type of problem}
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
 * @raises{PETSC_ERR_FILE_UNEXPECTED, the samples have other features}
 */
PetscErrorCode BLPAdoptDataSet(BLP blp, DataSet ds, DataSetMisfit *misfit);

/**
 * Reads samples from a file as the training samples were read, and adopts them.
 *
 * @collective
 *
 * @param[in]     blp     the problem, set up or loaded
 * @param[in]     path    file or folder; the options of DataSet apply
 * @param[out]    ds      new set
 * @param[out]    misfit  as for BLPAdoptDataSet()
 *
 * @raises{PETSC_ERR_FILE_OPEN, there is no such file}
 * @raises{PETSC_ERR_FILE_UNEXPECTED, bad content\, or other features}
 */
PetscErrorCode BLPReadDataSet(BLP blp, const char path[], DataSet *ds, DataSetMisfit *misfit);

/**
 * Probabilities of the classes, sample by sample.
 *
 * @collective
 *
 * @param[in]     blp     the problem, set up or loaded
 * @param[in]     ds      samples of BLPAdoptDataSet()
 * @param[in]     lambda  upper variable; may be NULL where the type answers by w alone, as softmax does
 * @param[in]     w       lower variable
 * @param[out]    Z       new vector, n x c: interlaced, block size c, distributed as the samples are
 * @param[out]    metrics loss and accuracy over the samples whose labels are known, as BLPEvaluate(), and
 * their number (without any the rest is NaN); may be NULL
 */
PetscErrorCode BLPPredict(BLP blp, DataSet ds, Vec lambda, Vec w, Vec *Z, BLPMetrics *metrics);

/* Bytes this rank holds. Not collective. */
PetscErrorCode BLPGetMemory(BLP blp, PetscLogDouble *bytes);

PetscErrorCode BLPRegister(const char type[], PetscErrorCode (*create)(BLP));
/* Names of all registered types; free the array (not the names) with PetscFree(). Not collective. */
PetscErrorCode BLPGetRegistered(PetscInt *n, const char ***types);

#if defined(__cplusplus)
}
#endif
#endif
